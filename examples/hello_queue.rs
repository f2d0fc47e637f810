//! Sends a message to a queue of this machine's node, and receives it.
//!
//! Start a node first (`meshmq up`); it is found as the command line finds it.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use meshmq::{Client, Error, Message, Result};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<()> {
    let client = Client::connect(None).await?;
    let greetings = match client.create_queue("greetings").await {
        Ok(queue) => queue,
        Err(Error::Conflict(_)) => client.queue("greetings"), // it was made the last time
        Err(why) => return Err(why),
    };

    let receipt = greetings.send(Message::new("hello, queue").label("first")).await?;
    println!("{} is safe on this disk", receipt.id());

    if let Some(delivery) = greetings.receive(Duration::from_secs(5)).await? {
        let message = delivery.message();
        println!("{}: {}", message.label, String::from_utf8_lossy(&message.body));
        delivery.ack().await?; // now it is gone; without this it would come again
    }

    receipt.received().await?;
    println!("and its sender knows");
    Ok(())
}
