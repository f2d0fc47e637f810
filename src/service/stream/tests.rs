use super::*;

#[test]
fn a_place_reads_back() {
    let place = StreamPlace { run: 0x1f2e, session: 300, number: 17 };
    assert_eq!(place.to_string(), "00001f2e.12c.17");
    assert_eq!("00001f2e.12c.17".parse(), Ok(place));
    for bad in ["", "1.2", "x.1.1", "1.1.x", "1.1.1.1"] {
        assert!(bad.parse::<StreamPlace>().is_err(), "{bad}");
    }
}
