//! The other machine is away while messages are sent to it; they arrive when it is back.
//!
//! `offline_delivery DIR` keeps both nodes in that directory.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use meshmq::{Node, Preset, Result, State};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "nodes".to_owned()));
    let laptop = start(&dir, "laptop", None).await?;
    let truck = start(&dir, "truck", Some(laptop.invite(None).await?)).await?;
    truck.client().create_queue("orders").await?;

    truck.shutdown(Duration::ZERO).await?; // the ignition is off
    println!("the truck is away");

    let orders = laptop.client().queue("orders@truck");
    let mut last = None;
    for order in 1..=10 {
        last = Some(orders.send(format!("order {order}")).await?);
    }
    let last = last.expect("ten were sent");
    assert_eq!(last.state().await?, State::Stored);
    println!("10 orders are safe on the laptop");

    let truck = start(&dir, "truck", None).await?;
    last.arrived().await?;
    println!("the truck is back, and they have arrived");

    let mut inbox = truck.client().queue("orders").receiver().prefetch(10).start().await?;
    for _ in 1..=10 {
        let Some(order) = inbox.next().await else { break };
        let order = order?;
        println!("{}", String::from_utf8_lossy(&order.message().body));
        order.ack().await?;
    }
    last.received().await?;
    laptop.shutdown(Duration::from_secs(5)).await?;
    truck.shutdown(Duration::from_secs(5)).await
}

async fn start(dir: &Path, name: &str, token: Option<String>) -> Result<Node> {
    let node = Node::builder().name(name).data_dir(dir.join(name)).preset(Preset::Isolated);
    match token {
        Some(token) => node.join(token).start().await,
        None => node.start().await,
    }
}
