//! A program and its test: three days without a network pass in no time.
//!
//! In a program of one's own the test is a `#[tokio::test]`; here it is run and says what it found.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use meshmq::testing::Mesh;
use meshmq::{Client, Result};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The program: a till that reports its sales to the office, whenever the office can be reached.
async fn report_sales(till: &Client, sales: u32) -> Result<()> {
    for sale in 1..=sales {
        till.queue("ledger@office").send(format!("sale {sale}")).await?;
    }
    Ok(())
}

/// The program's other half: the office counts what has come.
async fn count_sales(office: &Client) -> Result<u32> {
    let ledger = office.queue("ledger");
    let mut count = 0;
    while let Some(sale) = ledger.receive(Duration::from_secs(1)).await? {
        sale.ack().await?;
        count += 1;
    }
    Ok(count)
}

#[tokio::main(flavor = "current_thread")] // as `#[tokio::test]` has it
async fn main() -> Result<()> {
    let mut mesh = Mesh::builder(["till", "office"]).seed(7).start();
    let (till, office) = (mesh.client("till"), mesh.client("office"));
    office.create_queue("ledger").await?;

    mesh.cut(&["till"], &["office"]);
    report_sales(&till, 10).await?;
    mesh.advance(3 * DAY).await;
    assert_eq!(count_sales(&office).await?, 0);

    mesh.crash("till").await; // the power fails, too
    mesh.heal();
    mesh.restart("till");
    mesh.settle().await;
    assert_eq!(count_sales(&office).await?, 10);

    let days = mesh.elapsed().as_secs() / DAY.as_secs();
    println!("after {days} days all 10 sales are in the ledger");
    Ok(())
}
