//! `meshmq peers`: the other members, and strangers on the network.

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{FAINT, TYPED, WARN, styled};
use super::table::{Column, Table};
use super::units::age;
use crate::client::json::{Peer, PeerState, Peers, Stranger};
use clap::Args;

/// List the other members of the mesh and how they can be reached.
///
/// Members never vanish from the list: they are up, away, or have left. Nodes on the local network
/// that are no members are shown below it, with what would let them in.
#[derive(Args, Debug)]
pub(super) struct PeersArgs {
    /// List the strangers instead: nodes on the local network that are no members
    #[arg(long)]
    strangers: bool,
}

/// Asks and prints.
pub(super) async fn run(args: PeersArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    let peers: Peers = context.within(client.get("/v1/peers")).await?;
    match (context.out.json, args.strangers) {
        (true, false) => peers.items.iter().try_for_each(|peer| context.out.object(peer))?,
        (true, true) => peers.strangers.iter().try_for_each(|one| context.out.object(one))?,
        (false, true) => print_strangers(context, &peers.strangers)?,
        (false, false) => {
            print_peers(context, &peers.items)?;
            if !peers.strangers.is_empty() {
                context.out.say("")?;
                print_strangers(context, &peers.strangers)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn print_peers(context: &mut Context, peers: &[Peer]) -> Result<(), CliError> {
    if peers.is_empty() {
        return context
            .out
            .say(format!("no other members yet: {} lets one in", styled(TYPED, "meshmq invite")));
    }
    let mut table = Table::new(&[
        Column::Left("NAME"),
        Column::Left("STATE"),
        Column::Left("PATH"),
        Column::Right("RTT"),
        Column::Right("OUT"),
        Column::Right("SEEN"),
    ]);
    for peer in peers {
        let style = match peer.state {
            PeerState::Up => None,
            PeerState::Away => Some(WARN),
            PeerState::Left => Some(FAINT),
        };
        let seen = peer.seen_s.map_or_else(
            || "-".to_owned(),
            |seconds| match age(seconds) {
                now if now == "now" || peer.state == PeerState::Up => "now".to_owned(),
                age => format!("{age} ago"),
            },
        );
        table.row(
            style,
            &[
                peer.name.clone(),
                peer.state.as_str().to_owned(),
                if peer.path == "none" { "-".to_owned() } else { peer.path.clone() },
                peer.rtt_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms")),
                peer.outgoing.to_string(),
                seen,
            ],
        );
    }
    context.table(&table)
}

fn print_strangers(context: &mut Context, strangers: &[Stranger]) -> Result<(), CliError> {
    if strangers.is_empty() {
        return context.out.say("no strangers seen");
    }
    let mut table =
        Table::new(&[Column::Left("STRANGER"), Column::Left("ADDRESS"), Column::Right("SEEN")]);
    for stranger in strangers {
        let seen = match age(stranger.seen_s) {
            now if now == "now" => now,
            age => format!("{age} ago"),
        };
        let id = stranger.node_id.chars().take(16).collect();
        let address = stranger.addresses.first().cloned().unwrap_or_default();
        table.row(None, &[id, address, seen]);
    }
    context.table(&table)?;
    context.out.say(format!(
        "to let one in: {} here, then {} there",
        styled(TYPED, "meshmq invite"),
        styled(TYPED, "meshmq join TOKEN")
    ))
}
