//! A question and its answer: the answer goes to the queue that the question names, and says which
//! question it belongs to. Both could be on different machines: `sums@pc-b`.
//!
//! Start a node first (`meshmq up`).
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use meshmq::{Client, Error, Message, Queue, Result};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<()> {
    let client = Client::connect(None).await?;
    let sums = queue(&client, "sums").await?;
    let answers = queue(&client, "answers").await?;
    let server = tokio::spawn(serve(client.clone(), sums.clone()));

    let question = Message::json(&[20, 22])?.reply_to("answers").ttl(Duration::from_secs(60));
    let asked = sums.send(question).await?;
    let mut inbox = answers.receiver().wait(Duration::from_secs(5)).start().await?;
    while let Some(answer) = inbox.next().await {
        let answer = answer?;
        if answer.message().correlation.as_deref() == Some(asked.id().as_str()) {
            println!("20 + 22 = {}", answer.message().read_json::<i64>()?);
            answer.ack().await?;
            break;
        }
        answer.ack().await?; // of an earlier run
    }
    server.await.expect("the server does not panic")
}

/// Answers one question. A crash before the last line brings the question back.
async fn serve(client: Client, sums: Queue) -> Result<()> {
    let mut questions = sums.receiver().start().await?;
    if let Some(question) = questions.next().await {
        let question = question?;
        let sum: i64 = question.message().read_json::<Vec<i64>>()?.iter().sum();
        if let Some(reply_to) = &question.message().reply_to {
            let answer = Message::json(&sum)?.correlation(&question.message().id);
            client.queue(reply_to).send(answer).await?;
        }
        question.ack().await?;
    }
    Ok(())
}

async fn queue(client: &Client, name: &str) -> Result<Queue> {
    match client.create_queue(name).await {
        Err(Error::Conflict(_)) => Ok(client.queue(name)),
        made => made,
    }
}
