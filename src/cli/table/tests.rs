use super::super::output::WARN;
use super::{Column, Table};

#[test]
fn columns_stand_under_each_other_and_nothing_escapes_its_line() {
    let mut table = Table::new(&[Column::Left("NAME"), Column::Right("READY"), Column::Left("X")]);
    table.row(None, &["orders".to_owned(), "7".to_owned(), "-".to_owned()]);
    table.row(None, &["a\nb\x1b[31m".to_owned(), "1234567".to_owned(), "ö".to_owned()]);
    let lines = table.lines();
    let plain = |line: &str| line.replace("\x1b[1m", "").replace("\x1b[0m", "");
    assert_eq!(plain(&lines[0]), "NAME        READY  X");
    assert_eq!(lines[1], "orders          7  -");
    assert_eq!(lines[2], "a·b·[31m  1234567  ö");
}

#[test]
fn a_row_that_stands_out_is_styled_as_a_whole() {
    let mut table = Table::new(&[Column::Left("NAME")]);
    table.row(Some(WARN), &["pc-c".to_owned()]);
    assert_eq!(table.lines()[1], format!("{WARN}pc-c{WARN:#}"));
}
