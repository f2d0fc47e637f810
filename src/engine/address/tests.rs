use super::*;

#[test]
fn a_node_id_is_64_hexadecimal_digits_and_nothing_else() {
    let text = "0123456789abcdef".repeat(4);
    let node: NodeId = text.parse().unwrap();
    assert_eq!(node.to_string(), text);
    assert_eq!(text.to_uppercase().parse(), Ok(node));
    let refused = [&text[1..], &format!("{text}0"), &text.replace("cd", "+d"), "ä", ""];
    for bad in refused {
        assert_eq!(bad.parse::<NodeId>(), Err(AddressError::Node(bad.to_owned())));
    }
}
