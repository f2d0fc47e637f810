//! Authorities, certificates, keys, revocations, departures and remembered invitations: what is read
//! fits the directory, and is written in one form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::codec::check_frames;
use meshmq::engine::frame::Frame;
use meshmq::security::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    if let Some((came, signed)) = fuzzing::signed_record(bytes) {
        assert_eq!(came.bytes, bytes, "it is passed on as it came");
        assert_eq!((&came.key, came.rank.len()), (&signed.key, signed.rank.len()));
        assert!(signed.bytes.len() <= bytes.len());
        let again = fuzzing::signed_record(&signed.bytes).expect("what was written is read");
        assert_eq!(again.1, signed);
        assert_eq!(check_frames(&[Frame::Record(came), Frame::Record(signed)]), Ok(()));
    }
    if let Some(written) = fuzzing::invitation(bytes) {
        assert!(written.len() <= bytes.len());
        assert_eq!(fuzzing::invitation(&written).as_ref(), Some(&written));
    }
});
