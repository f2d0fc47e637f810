//! What is handed to nftables and to traffic control.

use super::*;

#[test]
fn a_cut_is_a_rule_for_each_direction() {
    let text = rules(&BTreeSet::from([(0, 1), (2, 0)]));
    let drops: Vec<&str> = text.lines().filter(|line| line.ends_with("drop")).collect();
    let wanted = [
        "  iifname \"port0\" oifname \"port1\" drop",
        "  iifname \"port2\" oifname \"port0\" drop",
    ];
    assert_eq!(drops, wanted);
    assert_eq!(text.matches('{').count(), text.matches('}').count());
}

#[test]
fn a_filter_compares_the_address_of_the_sender_at_the_receiver() {
    let added = filters(&[(258, 1)], true);
    assert!(added.starts_with("filter add dev port1 egress pref 259 protocol all bpf"), "{added}");
    // 02:4d:51:00 and 01:02.
    assert!(added.contains(",21 0 3 38621440,") && added.contains(",21 0 1 258,"), "{added}");
    assert_eq!(filters(&[(258, 1)], false), "filter del dev port1 egress pref 259 protocol all\n");
}
