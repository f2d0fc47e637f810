//! The `meshmq` program.

fn main() {}
