use super::*;

#[test]
fn a_row_is_lent_to_one_send_at_a_time_and_never_says_a_number_twice() {
    let rows = Rows::default();
    let (one, other) = (rows.lend(), rows.lend());
    assert_ne!(one.row.key, other.row.key);
    let key = one.row.key.clone();
    drop(one);
    let again = rows.lend();
    assert_eq!((&again.row.key, again.row.number), (&key, 2));
    drop((other, again));
    assert_eq!(rows.0.lock().expect("no panic").len(), 2);
}

#[test]
fn a_message_goes_as_it_is_and_as_json_where_its_properties_fill_a_head() {
    let small = Message::new(vec![0, 159, 255]).label("a label").content_type("application/json");
    let (headers, body) = request(std::slice::from_ref(&small));
    assert_eq!(&body[..], [0, 159, 255]);
    assert!(headers.iter().all(|(name, _)| name.starts_with("meshmq-")), "{headers:?}");
    let long = small.clone().header("k", "v".repeat(HEADERS_MAX));
    let many = (0..=HEADERS_MANY)
        .fold(Message::new("x"), |message, at| message.header(format!("k{at}"), "v"));
    for batch in [vec![long], vec![many], vec![small.clone(), small], Vec::new()] {
        let (headers, body) = request(&batch);
        assert_eq!(headers, [("content-type", "application/json".to_owned())]);
        let read: json::Batch = serde_json::from_slice(&body).expect("it is a batch");
        assert_eq!(read.messages.len(), batch.len());
    }
}
