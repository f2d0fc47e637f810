use super::{messages, query, queue};

#[test]
fn what_people_type_cannot_leave_its_segment() {
    assert_eq!(queue("orders@pc-b"), "/v1/queues/orders@pc-b");
    assert_eq!(messages("../x?y#z"), "/v1/queues/..%2Fx%3Fy%23z/messages");
    assert_eq!(queue("ö"), "/v1/queues/%C3%B6");
}

#[test]
fn a_query_names_only_what_is_given() {
    assert_eq!(query(&[("a", None), ("b", None)]), "");
    let both = query(&[("a", Some("1".to_owned())), ("x", None), ("b", Some("2 3".to_owned()))]);
    assert_eq!(both, "?a=1&b=2%203");
}
