//! Contact traces, and texts that are none.

use super::{Contact, read};
use crate::scenario::names::Names;

fn contacts(text: &str, until_ms: u64) -> Result<Vec<Contact>, String> {
    let names = ["a", "b", "c"].map(str::to_owned);
    read(&Names::new(&names).expect("good names"), text, until_ms)
}

#[test]
fn a_trace_names_nodes_or_counts_them() {
    let text = "time_s,event,a,b\n0,up,0,1\n7,up,c,a\n7,down,1,0\n\n9,up,0,1\n";
    let found = contacts(text, u64::MAX).expect("a good trace");
    let seen: Vec<_> = found.iter().map(|c| (c.at_ms, c.up, c.ways[0])).collect();
    let all =
        [(0, true, (0, 1)), (7_000, true, (0, 2)), (7_000, false, (0, 1)), (9_000, true, (0, 1))];
    assert_eq!(seen, all);
    assert_eq!(found[1].ways, [(0, 2), (2, 0)]);
    assert_eq!(contacts(text, 7_000).expect("a good trace").len(), 3);
}

#[test]
fn a_wrong_line_is_named() {
    for (lines, why) in [
        ("1,up,0,1", "line 1: `time_s"),
        ("time_s,event,a,b\n1,up,0,3", "line 2: there is no node number 3"),
        ("time_s,event,a,b\n1,up,a,a", "line 2: a contact is between two nodes"),
        ("time_s,event,a,b\n1,up,a,b\n0,down,a,b", "line 3: it is earlier"),
        ("time_s,event,a,b\n1,up,a,b\n2,up,b,a", "line 3: these two are up already"),
        ("time_s,event,a,b\n1,down,a,b", "line 2: these two are down already"),
        ("time_s,event,a,b\n1.5,up,a,b", "line 2: `1.5` is no time"),
        ("time_s,event,a,b\n1,meet,a,b", "line 2: `meet` is not"),
        ("time_s,event,a,b\n1,up,a", "line 2: `time_s,event,a,b` are four fields, and there are 3"),
    ] {
        let what = contacts(lines, u64::MAX).expect_err("it is wrong");
        assert!(what.starts_with(why), "{lines}: {what}");
    }
}
