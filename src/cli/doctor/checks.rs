//! Checks of what the node says of itself.

use super::super::error::CliError;
use super::super::units::{count, size};
use super::{Answers, Finding, Outcome};
use crate::client::json::{Discovery, DiscoveryState, PeerState, Peers, Status};
use crate::os::Usage;
use std::time::Duration;

/// Share of the descriptors, in percent, from which on it is worth a word.
const DESCRIPTORS_MANY: u64 = 80;
/// Descriptors below which a node with many neighbours and programs can run short.
const DESCRIPTORS_FEW: u64 = 1_024;

pub(super) fn configuration(settings: &Result<(), CliError>) -> Finding {
    match settings {
        Ok(()) => Finding::new("configuration", Outcome::Ok, "no mistakes"),
        Err(why) => Finding::new("configuration", Outcome::Fail, &why.message).hint(&why.hint),
    }
}

pub(super) fn socket(answers: &Result<Answers, CliError>) -> Finding {
    match answers {
        Ok(Answers { status, took, .. }) => {
            let name = &status.ready.name;
            let ms = took.as_secs_f64() * 1_000.0;
            let detail = format!("node {name} answers in {ms:.1} ms at {}", status.ready.socket);
            Finding::new("socket", Outcome::Ok, detail)
        }
        Err(why) => Finding::new("socket", Outcome::Fail, &why.message).hint(&why.hint),
    }
}

/// What the node itself warns of, each for itself: of clocks that are off, for instance.
pub(super) fn warnings(status: &Status) -> Vec<Finding> {
    let warn = |warning: &String| Finding::new("node", Outcome::Warn, warning);
    match status.warnings.as_slice() {
        [] => vec![Finding::new("node", Outcome::Ok, "it warns of nothing")],
        warnings => warnings.iter().map(warn).collect(),
    }
}

pub(super) fn discovery(discovery: &Discovery, peers: &Peers) -> Finding {
    let up = peers.items.iter().filter(|peer| peer.state == PeerState::Up).count() as u64;
    let strangers = peers.strangers.len() as u64;
    let seen = format!("{} up, {} seen", count(up, "member"), count(strangers, "stranger"));
    match discovery.state {
        DiscoveryState::On if up + strangers > 0 => {
            Finding::new("discovery", Outcome::Ok, format!("multicast DNS runs: {seen}"))
        }
        DiscoveryState::On => {
            Finding::new("discovery", Outcome::Warn, "multicast DNS runs, but nobody was seen")
                .hint(
                    "is another node on, is 5353/udp open, does the Wi-Fi isolate its clients? \
                       `up --peer HOST:7670` needs none of it",
                )
        }
        DiscoveryState::Off if up > 0 => {
            Finding::new("discovery", Outcome::Ok, format!("off by configuration: {seen}"))
        }
        DiscoveryState::Off => {
            Finding::new("discovery", Outcome::Warn, "off by configuration, and no member is up")
                .hint("start the node with --peer HOST:7670, or without --no-discovery")
        }
        DiscoveryState::Failed => {
            let why = discovery.why.as_deref().unwrap_or("no reason was given");
            Finding::new("discovery", Outcome::Fail, format!("multicast DNS does not run: {why}"))
                .hint("`up --peer HOST:7670` needs none of it")
        }
    }
}

/// Whether others can come in. Nobody can tell from inside; a link from elsewhere proves it.
pub(super) fn firewall(status: &Status, tool: &Option<&'static str>) -> Finding {
    let local = |address: &String| {
        address.contains("127.0.0.1") || address.contains("[::1]") || address.contains("/ip6/::1/")
    };
    let listen = &status.ready.listen;
    if listen.iter().all(local) {
        let detail = "the node listens on this machine only".to_owned();
        return Finding::new("firewall", Outcome::Warn, detail).hint(
            "start it without --listen, or with --listen 0.0.0.0:7670, so that others reach it",
        );
    }
    if status.peers_up > 0 {
        let detail = format!("{} linked", count(status.peers_up, "member"));
        return Finding::new("firewall", Outcome::Ok, detail);
    }
    let ports = ports_of(listen);
    match tool {
        Some(tool) => {
            let detail = format!("{tool} is active, and no member is linked");
            Finding::new("firewall", Outcome::Warn, detail).hint(command_of(tool, &ports))
        }
        None => Finding::new("firewall", Outcome::Ok, "none of the usual ones is active")
            .hint(format!("if there is another: open {}/tcp and 5353/udp", ports.join(", "))),
    }
}

/// The ports in addresses such as `192.168.1.12:7670`, each once.
fn ports_of(listen: &[String]) -> Vec<String> {
    let port = |address: &String| {
        let last = address.rsplit([':', '/']).next()?;
        last.parse::<u16>().ok().map(|port| port.to_string())
    };
    let mut ports: Vec<String> = listen.iter().filter_map(port).collect();
    ports.sort();
    ports.dedup();
    ports
}

fn command_of(tool: &str, ports: &[String]) -> String {
    let open = |port: &str| match tool {
        "ufw" => format!("ufw allow {port}"),
        _ => format!("firewall-cmd --permanent --add-port={port}"),
    };
    let tcp = ports.iter().map(|port| open(&format!("{port}/tcp")));
    let all: Vec<String> = tcp.chain([open("5353/udp")]).collect();
    all.join(" && ")
}

pub(super) fn descriptors(usage: &Usage) -> Finding {
    let Usage { open_files, open_files_max, .. } = *usage;
    let detail = format!("{open_files} of {open_files_max} are open");
    let many = open_files.saturating_mul(100) / open_files_max.max(1) >= DESCRIPTORS_MANY;
    if many || open_files_max < DESCRIPTORS_FEW {
        return Finding::new("descriptors", Outcome::Warn, detail)
            .hint("raise the limit: `ulimit -n 65536`, or LimitNOFILE=65536 in the unit");
    }
    Finding::new("descriptors", Outcome::Ok, detail)
}

pub(super) fn cost(before: &Usage, after: &Usage, span: Duration) -> Finding {
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / span.as_secs_f64() * 100.0;
    let woken = after.wakeups.saturating_sub(before.wakeups) as f64 / span.as_secs_f64();
    let memory = size(after.resident_bytes);
    let mut detail =
        format!("{memory} resident, {cpu:.1} % of a core, {woken:.0} wake-ups a second");
    if after.program_bytes > 0 {
        detail += &format!(", a program of {}", size(after.program_bytes));
    }
    Finding::new("cost", Outcome::Ok, detail)
}
