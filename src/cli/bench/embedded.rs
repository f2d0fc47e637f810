//! A node within this program, and senders that call it as the Rust API lets them.

use super::super::error::{CliError, Exit};
use super::Plan;
use super::measure::{Figures, many};
use super::nodes::{QUEUE_BYTES, QUEUE_MESSAGES};
use super::work::Work;
use crate::api::{Error, Node, Preset, Queue, QueueSpec};
use crate::client::http::Client;
use std::path::Path;
use std::time::{Duration, Instant};

/// Sends to a local queue from so many tasks at once, each its next message when the last one is
/// durable.
pub(super) async fn local_send(senders: usize, plan: &Plan<'_>) -> Result<Figures, CliError> {
    let folder = plan.folder.join("embedded");
    let node = Node::builder().name("a").data_dir(&folder).preset(Preset::Isolated);
    let node = node.start().await.map_err(|why| failed(&why))?;
    let client = node.client();
    let spec = QueueSpec::new("q").max_messages(QUEUE_MESSAGES).max_bytes(QUEUE_BYTES);
    let queue = client.create_queue(spec).await.map_err(|why| failed(&why))?;
    let mut door = Client::connect(Path::new(node.socket())).await?;
    let (before, size) = (Work::of(&mut door).await?, plan.size);
    let workers = vec![queue; senders];
    let sent = many(workers, plan.length, |queue, until| send_until(queue, size, until)).await?;
    let work = Some(Work::of(&mut door).await?.since(&before));
    drop(door);
    node.shutdown(Duration::ZERO).await.map_err(|why| failed(&why))?;
    std::fs::remove_dir_all(&folder).map_err(super::log::failed)?;
    Ok(Figures { work, ..sent })
}

async fn send_until(queue: Queue, size: usize, until: Instant) -> Result<Vec<Duration>, CliError> {
    let (body, mut each) = (vec![b'x'; size], Vec::new());
    while Instant::now() < until {
        let begun = Instant::now();
        queue.send(body.clone()).await.map_err(|why| failed(&why))?;
        each.push(begun.elapsed());
    }
    Ok(each)
}

fn failed(why: &Error) -> CliError {
    CliError::new(Exit::Defect, "bench_node", format!("the node within the program: {why}"))
}
