//! The `meshmq-sim` program.

fn main() {}
