//! The `meshmq` program.

fn main() -> std::process::ExitCode {
    meshmq::cli::main()
}
