use super::*;

#[test]
fn a_number_is_a_group() {
    assert_eq!(group_id("1234"), Ok(1234));
}

#[test]
fn names_are_looked_up_by_the_whole_field() {
    let file = "rooted:x:7:\nroot:x:0:a,b\nbroken\n";
    assert_eq!(number_in(file, "root"), Some(0));
    assert_eq!(number_in(file, "roo"), None);
    assert_eq!(number_in(file, "broken"), None);
}

#[test]
fn an_unknown_name_is_an_error() {
    let name = "no-such-group-of-meshmq";
    assert_eq!(group_id(name), Err(UnknownGroup(name.to_owned())));
}
