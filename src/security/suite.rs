//! The algorithms of the project, by what they are for. The only file that names one.
//!
//! Refuses what is lax: signatures are checked strictly, weak and non-canonical public keys are no
//! keys, and there is no batch verification, because it accepts other edge cases and nodes must
//! agree on what is valid.

use crate::engine::message::Short;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Number of the key encapsulation that keys records name: X25519 with HKDF-SHA256 (RFC 9180).
pub(crate) const KEM_X25519: u16 = 0x0020;

/// Bytes from the operating system's generator.
///
/// # Panics
/// If the system has no randomness to give, which no node can work without.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A secret key that signs. Erased when dropped, never printed.
pub(crate) struct Signing(SigningKey);

impl Signing {
    /// The key of 32 secret bytes.
    pub(crate) fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The public key.
    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The 32 secret bytes.
    pub(crate) fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Signs bytes; the same bytes give the same signature.
    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

/// The public key of these bytes, unless they are no canonical encoding of a strong one.
fn strong(public: &[u8; 32]) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_bytes(public).ok()?;
    let canonical = key.to_edwards().compress().to_bytes() == *public;
    (canonical && !key.is_weak()).then_some(key)
}

/// Whether these bytes are a public key that may sign.
pub(crate) fn is_strong_key(public: &[u8; 32]) -> bool {
    strong(public).is_some()
}

/// Whether the signature over these bytes is the key's, by the strict rules.
pub(crate) fn verify(public: &[u8; 32], bytes: &[u8], signature: &[u8]) -> bool {
    let (Some(key), Ok(signature)) = (strong(public), Signature::from_slice(signature)) else {
        return false;
    };
    key.verify_strict(bytes, &signature).is_ok()
}

/// The public half of a secret that opens sealed messages.
pub(crate) fn sealing_public(secret: &[u8; 32]) -> [u8; 32] {
    let secret = x25519_dalek::StaticSecret::from(*secret);
    x25519_dalek::PublicKey::from(&secret).to_bytes()
}

/// Whether these bytes are a public key to seal for: the points of small order are none.
pub(crate) fn is_sealing_key(public: &[u8; 32]) -> bool {
    // Any secret gives the all-zero result with a point of small order, and only with one.
    let probe = x25519_dalek::StaticSecret::from([0x5a; 32]);
    probe.diffie_hellman(&(*public).into()).was_contributory()
}

/// A hash that names public things.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    blake3::hash(bytes).into()
}

/// A hash that only the holder of the key can make.
pub(crate) fn keyed_hash(key: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    blake3::keyed_hash(key, bytes).into()
}

/// A name for the sequence of these parts, each of any length.
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Short {
    let mut hasher = blake3::Hasher::new_derive_key("meshmq fingerprint v1");
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Short(short)
}

/// The checksum of base58check: the first four bytes of SHA-256 applied twice.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; 4] {
    let twice = Sha256::digest(Sha256::digest(bytes));
    [twice[0], twice[1], twice[2], twice[3]]
}

/// Derives bytes for one purpose from a secret.
pub(crate) fn derive<const N: usize>(secret: &[u8], purpose: &[u8]) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(None, secret)
        .expand(purpose, bytes.as_mut())
        .expect("no purpose wants more than 8,160 bytes");
    bytes
}

fn mac_of(key: &[u8; 32], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("every length is a key");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

/// A proof that its maker has the key. The parts must have fixed lengths.
pub(crate) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    mac_of(key, parts).finalize().into_bytes().into()
}

/// Whether a proof is the key's, in constant time.
pub(crate) fn mac_fits(key: &[u8; 32], parts: &[&[u8]], proof: &[u8]) -> bool {
    mac_of(key, parts).verify_slice(proof).is_ok()
}

/// Compares in constant time.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests;
