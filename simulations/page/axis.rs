//! Axes: where a value stands on a picture, which values get a line, and how they are written.

/// Width of every picture; it is scaled to the page.
pub(super) const WIDTH: f64 = 1_000.0;
/// Room for labels left of what is drawn.
pub(super) const LEFT: f64 = 120.0;
/// Room right of it.
pub(super) const RIGHT: f64 = 24.0;
/// Lines of a time axis at most.
const TICKS_MAX: u64 = 9;

/// Steps between the lines of a time axis, in milliseconds.
const TIME_STEPS: [u64; 27] = {
    const S: u64 = 1_000;
    const M: u64 = 60 * S;
    const H: u64 = 60 * M;
    const D: u64 = 24 * H;
    [
        1,
        5,
        10,
        50,
        100,
        250,
        500,
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
        30 * S,
        M,
        2 * M,
        5 * M,
        10 * M,
        15 * M,
        30 * M,
        H,
        2 * H,
        3 * H,
        6 * H,
        12 * H,
        D,
        2 * D,
        7 * D,
    ]
};

/// The time axis that all pictures of a page share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) end_ms: u64,
}

impl Time {
    /// Where a moment stands.
    pub(super) fn x(self, at_ms: u64) -> f64 {
        let share = at_ms.min(self.end_ms) as f64 / self.end_ms.max(1) as f64;
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    /// Moments with a line.
    pub(super) fn ticks(self) -> impl Iterator<Item = u64> {
        let fits = |step: &&u64| self.end_ms / **step <= TICKS_MAX;
        let weeks = TIME_STEPS[TIME_STEPS.len() - 1];
        let far = self.end_ms / TICKS_MAX / weeks * weeks + weeks;
        let step = TIME_STEPS.iter().find(fits).copied().unwrap_or(far);
        (0..=self.end_ms / step).map(move |tick| tick * step)
    }
}

/// An axis of amounts, from zero upwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    most: u64,
    step: u64,
    top: f64,
    height: f64,
}

impl Amount {
    /// An axis up to `most` between two heights of a picture. `binary` steps are powers of two.
    pub(super) fn new(most: u64, binary: bool, top: f64, bottom: f64) -> Self {
        let most = most.max(1);
        let rough = most.div_ceil(4).max(1);
        let step = if binary {
            rough.next_power_of_two()
        } else {
            let ten = 10_u64.pow(rough.ilog10());
            [1, 2, 5, 10].iter().map(|by| by * ten).find(|step| *step >= rough).unwrap_or(rough)
        };
        Self { most: most.div_ceil(step) * step, step, top, height: bottom - top }
    }

    /// Where an amount stands.
    pub(super) fn y(self, amount: u64) -> f64 {
        self.top + self.height * (1.0 - amount as f64 / self.most as f64)
    }

    /// Amounts with a line.
    pub(super) fn ticks(self) -> impl Iterator<Item = u64> {
        (0..=self.most / self.step).map(move |tick| tick * self.step)
    }
}

/// A span of time for people: its two largest units.
pub(super) fn time(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let Some(at) = UNITS.iter().position(|(unit, _)| ms >= *unit) else {
        return if ms == 0 { "0".to_owned() } else { format!("{ms} ms") };
    };
    let (unit, name) = UNITS[at];
    if name == "s" {
        let digits = format!("{:02}", ms % unit / 10);
        let rest = digits.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{}{point}{rest} s", ms / unit);
    }
    let (small, small_name) = UNITS[at + 1];
    match ms % unit / small {
        0 => format!("{} {name}", ms / unit),
        rest => format!("{} {name} {rest} {small_name}", ms / unit),
    }
}

/// A size for people.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        None => format!("{bytes} B"),
        Some((unit, name)) if bytes.is_multiple_of(*unit) => format!("{} {name}", bytes / unit),
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
    }
}

/// A number with its thousands apart.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A coordinate, short.
pub(super) fn at(coordinate: f64) -> String {
    format!("{:.1}", coordinate)
}
