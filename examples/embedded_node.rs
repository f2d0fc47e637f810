//! Two nodes within one program: one invites the other, and a stream of messages goes across.
//!
//! `embedded_node DIR` keeps them in that directory.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use meshmq::{Message, Node, Preset, QueueSpec, Result};
use std::path::PathBuf;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "nodes".to_owned()));
    let office = Node::builder()
        .name("head-office")
        .data_dir(dir.join("head-office"))
        .preset(Preset::Isolated) // `Preset::Lan` finds the others by itself
        .start()
        .await?;
    let till = Node::builder()
        .name("till-7")
        .data_dir(dir.join("till-7"))
        .preset(Preset::Isolated)
        .join(office.invite(None).await?) // a member already at the second run
        .start()
        .await?;

    let ledger = QueueSpec::new("ledger").transactional();
    let at_office = match office.client().create_queue(ledger).await {
        Err(meshmq::Error::Conflict(_)) => office.client().queue("ledger"),
        made => made?,
    };

    let ledger = till.client().queue("ledger@head-office");
    let sales = (1..=100).map(|sale: u32| Message::new(sale.to_string()).transactional());
    let receipts = ledger.send_all(sales.collect()).await?;
    println!("{} sales are safe at the till", receipts.len());

    let mut sum = 0;
    let mut inbox = at_office.receiver().prefetch(16).start().await?;
    for sale in 1..=receipts.len() {
        let Some(delivery) = inbox.next().await else { break };
        let delivery = delivery?;
        let found: usize = String::from_utf8_lossy(&delivery.message().body).parse().unwrap_or(0);
        assert_eq!(found, sale, "in the order of sending");
        sum += found;
        delivery.ack().await?;
    }
    println!("the head office has them all, in order: {sum}");

    till.shutdown(Duration::from_secs(5)).await?;
    office.shutdown(Duration::from_secs(5)).await
}
