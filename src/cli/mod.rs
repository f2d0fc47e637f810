//! The command line: one file per subcommand.
//!
//! Commands talk HTTP to the node and hold no rules of their own; only `up` and `demo` start
//! nodes. Everything is written by [`output`].

pub mod context;
pub mod error;
pub mod output;
pub mod table;
pub mod units;

mod bench;
mod compact;
mod completion;
mod config;
mod dead;
mod demo;
mod doctor;
mod down;
mod events;
mod flags;
mod invite;
mod join;
mod leave;
mod outgoing;
mod peek;
mod peers;
mod queue;
mod recv;
mod sandbox;
mod send;
mod service;
mod status;
mod stop;
mod token;
mod trace;
mod up;
mod version;
mod why;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use context::{Context, Globals};
use error::{CliError, EXIT_CODES, Exit};
use output::{Color, Output};
use std::process::ExitCode;

/// Reliable queued messaging between machines that are not always connected, with no server in
/// the middle.
#[derive(Parser, Debug)]
#[command(name = "meshmq", version, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    globals: Globals,
}

#[derive(Subcommand, Debug)]
enum Command {
    Up(up::UpArgs),
    Down(down::DownArgs),
    Status(status::StatusArgs),
    Invite(invite::InviteArgs),
    Join(join::JoinArgs),
    Leave(leave::LeaveArgs),
    Peers(peers::PeersArgs),
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    Send(send::SendArgs),
    Recv(recv::RecvArgs),
    Peek(peek::PeekArgs),
    Outgoing(outgoing::OutgoingArgs),
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    Why(why::WhyArgs),
    Trace(trace::TraceArgs),
    Events(events::EventsArgs),
    Doctor(doctor::DoctorArgs),
    Compact(compact::CompactArgs),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    #[command(subcommand)]
    Token(token::TokenCommand),
    #[command(subcommand)]
    Service(service::ServiceCommand),
    Demo(demo::DemoArgs),
    Completion(completion::CompletionArgs),
    Man(completion::ManArgs),
    Bench(bench::BenchArgs),
    Version(version::VersionArgs),
}

/// Runs the program: parses, does, and says how it ended.
pub fn main() -> ExitCode {
    let parsed = tighten(Cli::command())
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(why) => return usage(&why),
    };
    let mut context = Context::new(cli.globals);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => {
            let message = format!("the system gives no threads: {why}");
            context.out.error(&CliError::new(Exit::Defect, "no_runtime", message));
            return Exit::Defect.into();
        }
    };
    let outcome = runtime.block_on(run(cli.command, &mut context));
    // A thread that reads standard input may never end.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            if !error.is_reader_gone() {
                context.out.error(&error);
            }
            ExitCode::from(error.exit)
        }
    }
}

async fn run(command: Command, context: &mut Context) -> Result<Exit, CliError> {
    match command {
        Command::Up(args) => up::run(args, context).await,
        Command::Down(args) => down::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Invite(args) => invite::run(args, context).await,
        Command::Join(args) => join::run(args, context).await,
        Command::Leave(args) => leave::run(args, context).await,
        Command::Peers(args) => peers::run(args, context).await,
        Command::Queue(command) => queue::run(command, context).await,
        Command::Send(args) => send::run(args, context).await,
        Command::Recv(args) => recv::run(args, context).await,
        Command::Peek(args) => peek::run(args, context).await,
        Command::Outgoing(args) => outgoing::run(args, context).await,
        Command::Dead(command) => dead::run(command, context).await,
        Command::Why(args) => why::run(args, context).await,
        Command::Trace(args) => trace::run(args, context).await,
        Command::Events(args) => events::run(args, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
        Command::Compact(args) => compact::run(args, context).await,
        Command::Config(command) => config::run(command, context),
        Command::Token(command) => token::run(command, context).await,
        Command::Service(command) => service::run(command, context),
        Command::Demo(args) => demo::run(args, context).await,
        Command::Completion(args) => completion::completion(args, Cli::command(), context),
        Command::Man(args) => completion::man(args, Cli::command(), context),
        Command::Bench(args) => bench::run(args, context).await,
        Command::Version(args) => version::run(args, context),
    }
}

/// Puts what a help text explains below its options, so that these stay one line each.
fn tighten(command: clap::Command) -> clap::Command {
    let command = command.mut_subcommands(tighten);
    let Some(long) = command.get_long_about().map(ToString::to_string) else { return command };
    let explained = long.split_once("\n\n").map(|(_, rest)| rest.to_owned());
    let below = command.get_after_help().map(ToString::to_string);
    let below: Vec<String> = explained.into_iter().chain(below).collect();
    command.long_about(None).after_help(below.join("\n\n"))
}

/// Shows help, or says what is wrong with the arguments (64).
fn usage(why: &clap::Error) -> ExitCode {
    if !why.use_stderr() {
        let shown = why.print();
        return if shown.is_ok() { Exit::Done.into() } else { Exit::Disk.into() };
    }
    if std::env::args().any(|arg| arg == "--json") {
        let text = why.to_string();
        let said = text.lines().take_while(|line| !line.starts_with("Usage:"));
        let said: Vec<&str> = said.map(str::trim).filter(|line| !line.is_empty()).collect();
        let said = said.join(" ");
        let message = said.strip_prefix("error: ").unwrap_or(&said);
        let error = CliError::usage(message).hint("see `meshmq --help`");
        Output::new(true, false, Color::Never).error(&error);
    } else {
        let _ = why.print();
    }
    Exit::Usage.into()
}
