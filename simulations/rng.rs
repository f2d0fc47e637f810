//! The simulator's own generator: SplitMix64 seeds xoshiro256++, so that a seed means the same run
//! on every machine and with every version of every library.
//!
//! Refuses to ask anybody for randomness.

/// A seeded generator: xoshiro256++ of Blackman and Vigna.
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The generator of a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        let mut mix = seed;
        let mut state = [0; 4];
        let mut i = 0;
        while i < state.len() {
            state[i] = split_mix(&mut mix);
            i += 1;
        }
        Self { state }
    }

    /// A generator of its own for one purpose: what it draws moves no other one.
    pub(crate) fn fork(&self, purpose: &str) -> Self {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self::new(purpose.bytes().fold(self.state[0] ^ 0xcbf2_9ce4_8422_2325, fnv))
    }

    /// Sixty-four bits.
    pub(crate) const fn draw(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `bound`, each equally likely (multiply, and reject the biased few); 0 for 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let biased = bound.wrapping_neg() % bound;
        loop {
            let wide = u128::from(self.draw()) * u128::from(bound);
            if wide as u64 >= biased {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        match most.saturating_sub(least).checked_add(1) {
            Some(count) => least + self.below(count),
            None => self.draw(),
        }
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        const STEPS: f64 = (1_u64 << 53) as f64;
        ((self.draw() >> 11) as f64) < probability * STEPS
    }

    /// One of several, each equally likely; `None` of nothing.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}

/// SplitMix64 of Steele, Lea and Flood.
const fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
