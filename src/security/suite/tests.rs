use super::*;
use data_encoding::HEXLOWER;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap()
}

#[test]
fn signatures_are_those_of_rfc_8032() {
    // Section 7.1, TEST 2.
    let secret = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let key = Signing::from_secret(&secret);
    let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    assert_eq!(key.public(), public);
    let signature: [u8; 64] =
        hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_eq!(key.sign(&[0x72]), signature);
    assert!(verify(&public, &[0x72], &signature));
    assert!(!verify(&public, &[0x73], &signature) && !verify(&public, &[0x72], &signature[..63]));
}

#[test]
fn weak_key_refused() {
    // The points of small order, the identity first: with them one signature fits many messages.
    let small = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    ];
    for key in small {
        let key = hex(key);
        assert!(!is_strong_key(&key));
        // R of the identity and S of zero satisfy the lax equation for a key of small order.
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(&key, b"anything", &signature));
    }
    // The identity again, in a form that no encoder makes: y is the prime plus one.
    let long = hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    assert!(!is_strong_key(&long));
    // A strong point whose y is the prime plus three.
    assert!((0xed..=0xff_u8).all(|low| {
        let mut key = hex("00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        key[0] = low;
        !is_strong_key(&key)
    }));
    assert!(is_strong_key(&Signing::from_secret(&[7; 32]).public()));
}

#[test]
fn a_signature_with_another_form_of_its_scalar_is_refused() {
    let key = Signing::from_secret(&[7; 32]);
    let mut signature = key.sign(b"text");
    // Adding the order of the group to S gives a second form of the same signature.
    let order: [u8; 32] = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    for (byte, more) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert!(!verify(&key.public(), b"text", &signature));
}

#[test]
fn sealing_keys_are_those_of_rfc_7748() {
    // Section 6.1, Alice.
    let secret = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let public = sealing_public(&secret);
    assert_eq!(public, hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
    assert!(is_sealing_key(&public));
    for weak in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        assert!(!is_sealing_key(&weak));
    }
}

#[test]
fn proofs_are_those_of_rfc_2104() {
    let proof = mac(&[0x0b; 32], &[b"Hi ", b"There"]);
    // Worked out with another implementation.
    assert_eq!(proof, hex("198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"));
    assert_eq!(proof, mac(&[0x0b; 32], &[b"Hi There"]));
    assert!(mac_fits(&[0x0b; 32], &[b"Hi There"], &proof));
    assert!(!mac_fits(&[0x0c; 32], &[b"Hi There"], &proof));
    assert!(!mac_fits(&[0x0b; 32], &[b"Hi There"], &proof[..31]));
}

#[test]
fn derived_bytes_differ_by_secret_and_purpose() {
    let one = derive::<32>(b"secret", b"one");
    assert_ne!(*one, *derive::<32>(b"secret", b"two"));
    assert_ne!(*one, *derive::<32>(b"Secret", b"one"));
    assert_eq!(one[..16], derive::<16>(b"secret", b"one")[..]);
}

#[test]
fn checksums_are_those_of_base58check() {
    // The checksum of the Bitcoin address 16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM.
    let payload: [u8; 21] = hex("00010966776006953d5567439e5e39f86a0d273bee");
    assert_eq!(checksum(&payload), hex::<4>("d61967f6"));
}

#[test]
fn random_bytes_differ() {
    assert_ne!(random::<32>(), random::<32>());
    assert!(same(b"a", b"a") && !same(b"a", b"b") && !same(b"a", b"aa"));
}

/// The number of these bytes, lowest first, in the arithmetic of `like`.
fn number<S>(_like: S, bytes: &[u8]) -> S
where
    S: From<u8> + From<u16> + std::ops::Mul<Output = S> + std::ops::Add<Output = S>,
{
    bytes.iter().rev().fold(S::from(0_u8), |sum, &byte| sum * S::from(256_u16) + S::from(byte))
}

#[test]
fn a_signature_with_a_weak_point_is_refused() {
    // R is the identity and S is k·a: the plain equation holds, and such a signature can be made
    // to hold for more than one key. Only the strict rules refuse it.
    let key = Signing::from_secret(&[7; 32]);
    let mut signature = [0; 64];
    signature[0] = 1;
    let challenge = sha2::Sha512::new()
        .chain_update(&signature[..32])
        .chain_update(key.public())
        .chain_update(b"text")
        .finalize();
    let secret = key.0.to_scalar();
    let response = number(secret, &challenge) * secret;
    signature[32..].copy_from_slice(&response.to_bytes());
    let lax = VerifyingKey::from_bytes(&key.public()).unwrap();
    let parsed = Signature::from_slice(&signature).unwrap();
    assert!(ed25519_dalek::Verifier::verify(&lax, b"text", &parsed).is_ok(), "the attack is real");
    assert!(!verify(&key.public(), b"text", &signature));
}
