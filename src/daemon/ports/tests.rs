use super::*;

fn listening(addresses: &[&str]) -> Vec<SocketAddr> {
    addresses.iter().map(|text| text.parse().expect("an address")).collect()
}

#[test]
fn the_default_moves_and_stays_where_it_moved() {
    let first = wanted(&[], &BTreeMap::new()).expect("nothing to read");
    assert_eq!(first[0].address, ListenAddr::default());
    let moved = chosen(&first, &listening(&["192.0.2.1:4000", "127.0.0.1:4000"]));
    let second = wanted(&[], &moved).expect("nothing to read");
    assert_eq!((second[0].address.port, second[0].address.moves), (4_000, true));
}

#[test]
fn a_port_that_was_asked_for_is_not_moved_nor_written_down() {
    let asked = wanted(&["127.0.0.1:7000".to_owned()], &BTreeMap::new()).expect("an address");
    assert_eq!((asked[0].address.port, asked[0].address.moves), (7_000, false));
    assert!(chosen(&asked, &listening(&["127.0.0.1:7000"])).is_empty());
}

#[test]
fn each_zero_keeps_its_own_port() {
    let texts = ["127.0.0.1:0".to_owned(), "127.0.0.2:0".to_owned(), "127.0.0.1:7000".to_owned()];
    let asked = wanted(&texts, &BTreeMap::new()).expect("addresses");
    let found = listening(&["127.0.0.1:7000", "127.0.0.2:5002", "127.0.0.1:5001"]);
    let ports = chosen(&asked, &found);
    assert_eq!(ports[&texts[0]], 5_001);
    assert_eq!(ports[&texts[1]], 5_002);
    let again = wanted(&texts, &ports).expect("addresses");
    assert_eq!(again[0].address.port, 5_001);
}

#[test]
fn what_is_no_address_is_a_usage_error() {
    let refused = wanted(&["nowhere".to_owned()], &BTreeMap::new()).expect_err("no port");
    assert_eq!(refused.exit, 64);
}
