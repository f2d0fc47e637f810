//! `meshmq doctor`: what of this machine could keep the node from working well.

mod checks;
mod machine;

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{BAD, FAINT, GOOD, WARN, styled};
use crate::client::json::{Discovery, Peers, Status};
use crate::os;
use clap::Args;
use serde::Serialize;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;

/// How long the node is watched to tell what it costs.
const WATCHED: Duration = Duration::from_secs(1);

/// Check this machine and its node, and say what to do about what is wrong.
///
/// Ends with 0 if no check fails, else with 1. A warning is no failure.
#[derive(Args, Debug)]
pub(super) struct DoctorArgs {}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    outcome: Outcome,
    detail: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    hint: String,
}

impl Finding {
    fn new(check: &'static str, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { check, outcome, detail: detail.into(), hint: String::new() }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// What the node says.
struct Answers {
    status: Status,
    peers: Peers,
    discovery: Discovery,
    /// How long it took to say the first.
    took: Duration,
    /// Number of its process, where the system tells.
    pid: Option<u32>,
}

/// Looks at everything and tells.
pub(super) async fn run(_: DoctorArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut worst = Exit::Done;
    let mut tell = |context: &mut Context, finding: &Finding| {
        if finding.outcome == Outcome::Fail {
            worst = Exit::Nothing;
        }
        show(context, finding)
    };
    let settings = context.settings(Vec::new());
    tell(context, &checks::configuration(&settings.as_ref().map(drop).map_err(Clone::clone)))?;
    let answers = ask(context).await;
    tell(context, &checks::socket(&answers))?;
    let data = context.data()?;
    let reserve = settings.map(|settings| settings.limits().disk_reserve_bytes).unwrap_or(0);
    for finding in [machine::sync(&data), machine::space(&data, reserve), machine::clock(&data)] {
        tell(context, &finding)?;
    }
    let Ok(answers) = answers else { return Ok(worst) };
    for finding in checks::warnings(&answers.status) {
        tell(context, &finding)?;
    }
    tell(context, &checks::discovery(&answers.discovery, &answers.peers))?;
    tell(context, &checks::firewall(&answers.status, &machine::firewall_tool()))?;
    if let Some(pid) = answers.pid {
        let before = os::usage(pid);
        tokio::time::sleep(WATCHED).await;
        let after = os::usage(pid);
        if let Some((before, after)) = before.zip(after) {
            tell(context, &checks::descriptors(&after))?;
            tell(context, &checks::cost(&before, &after, WATCHED))?;
        }
    }
    Ok(worst)
}

async fn ask(context: &Context) -> Result<Answers, CliError> {
    let socket = context.socket()?;
    let begun = Instant::now();
    let mut client = context.connect().await?;
    let status = context.within(client.get("/v1/status")).await?;
    let took = begun.elapsed();
    let peers = context.within(client.get("/v1/peers")).await?;
    let discovery = context.within(client.get("/v1/discovery")).await?;
    let stream = UnixStream::connect(&socket).await.ok();
    let pid = stream.and_then(|stream| stream.peer_cred().ok()?.pid());
    let pid = pid.and_then(|pid| u32::try_from(pid).ok());
    Ok(Answers { status, peers, discovery, took, pid })
}

fn show(context: &mut Context, finding: &Finding) -> Result<(), CliError> {
    if context.out.json {
        return context.out.object(finding);
    }
    let mark = match finding.outcome {
        Outcome::Ok => styled(GOOD, "ok  "),
        Outcome::Warn => styled(WARN, "warn"),
        Outcome::Fail => styled(BAD, "FAIL"),
    };
    context.out.result(format!("{mark}  {:<15}{}", finding.check, finding.detail))?;
    if finding.hint.is_empty() {
        return Ok(());
    }
    context.out.result(format!("{:21}{}", "", styled(FAINT, &finding.hint)))
}

#[cfg(test)]
mod tests;
