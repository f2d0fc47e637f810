use super::*;

#[test]
fn what_is_printed_is_read_again() {
    for (bytes, text) in
        [(0, "0"), (1_000, "1000"), (1 << 10, "1KiB"), (3 << 29, "1536MiB"), (8 << 30, "8GiB")]
    {
        assert_eq!(exact_size(bytes), text);
        assert_eq!(parse_size(text), Ok(bytes));
    }
}
