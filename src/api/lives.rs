//! The way to a node in the same process that dies and starts again, as a process of its own does.
//!
//! While the node is down it tells what the way over the socket tells then. Clients outlive the
//! node's lives; what they hold of an earlier one, locks for instance, is gone.

use super::body::{BodyStream, Pieces};
use super::local::{LocalWay, WAIT_STEP};
use super::way::{Answer, PeekPage, Peer, Session, Settle, Until, Way};
use super::{Client, Error, Events, Message, MessageId, QueueInfo, QueueSpec, Result, State};
use crate::service::Service;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// The lives of a node, one after the other. Clones are of the same node.
#[derive(Clone, Debug)]
pub(crate) struct Lives {
    runtime: Handle,
    present: Arc<Mutex<Option<Arc<LocalWay>>>>,
}

impl Lives {
    /// A node that has not started yet.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub(crate) fn new() -> Self {
        Self { runtime: Handle::current(), present: Arc::default() }
    }

    /// It lives behind this service now; without one it is down.
    pub(crate) fn set(&self, service: Option<Service>) {
        let way = service.map(|service| Arc::new(LocalWay::new(service)));
        *self.present.lock().unwrap_or_else(PoisonError::into_inner) = way;
    }

    /// A program's way to it.
    pub(crate) fn client(&self) -> Client {
        Client::over(Arc::new(self.clone()))
    }

    fn way(&self) -> Result<Arc<LocalWay>> {
        let present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let down = || Error::of("not_running", 503, "no node runs here".to_owned(), String::new());
        present.clone().ok_or_else(down)
    }
}

/// A call that the node's death has cut short may have been carried out.
fn told<T>(outcome: Result<T>) -> Result<T> {
    outcome.map_err(|why| match why {
        Error::NotReachable(cause) if cause.code == "not_ready" => Error::Interrupted(cause),
        other => other,
    })
}

impl Way for Lives {
    fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn wait_step(&self) -> Duration {
        WAIT_STEP
    }

    fn ends_with_node(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, to: &'a str, batch: Vec<Message>) -> Answer<'a, Vec<MessageId>> {
        Box::pin(async move { told(self.way()?.send(to, batch).await) })
    }

    fn send_stream<'a>(
        &'a self,
        to: &'a str,
        message: Message,
        body: Pieces,
    ) -> Answer<'a, MessageId> {
        Box::pin(async move { told(self.way()?.send_stream(to, message, body).await) })
    }

    fn body<'a>(&'a self, token: &'a str) -> Answer<'a, BodyStream> {
        Box::pin(async move { told(self.way()?.body(token).await) })
    }

    fn state<'a>(&'a self, id: &'a MessageId, until: Until, time: Duration) -> Answer<'a, State> {
        Box::pin(async move { told(self.way()?.state(id, until, time).await) })
    }

    fn open(&self) -> Answer<'_, Arc<dyn Session>> {
        Box::pin(async move { self.way()?.open().await })
    }

    fn events(&self) -> Answer<'_, Events> {
        Box::pin(async move { self.way()?.events().await })
    }

    fn settle<'a>(&'a self, token: &'a str, how: Settle) -> Answer<'a, ()> {
        Box::pin(async move { told(self.way()?.settle(token, how).await) })
    }

    fn peek<'a>(
        &'a self,
        queue: &'a str,
        after: Option<String>,
        max: usize,
    ) -> Answer<'a, PeekPage> {
        Box::pin(async move { told(self.way()?.peek(queue, after, max).await) })
    }

    fn create_queue<'a>(&'a self, spec: &'a QueueSpec) -> Answer<'a, QueueInfo> {
        Box::pin(async move { told(self.way()?.create_queue(spec).await) })
    }

    fn queue<'a>(&'a self, name: &'a str) -> Answer<'a, QueueInfo> {
        Box::pin(async move { told(self.way()?.queue(name).await) })
    }

    fn queues(&self) -> Answer<'_, Vec<QueueInfo>> {
        Box::pin(async move { told(self.way()?.queues().await) })
    }

    fn remove_queue<'a>(&'a self, name: &'a str) -> Answer<'a, u64> {
        Box::pin(async move { told(self.way()?.remove_queue(name).await) })
    }

    fn purge_queue<'a>(&'a self, name: &'a str) -> Answer<'a, u64> {
        Box::pin(async move { told(self.way()?.purge_queue(name).await) })
    }

    fn peers(&self) -> Answer<'_, Vec<Peer>> {
        Box::pin(async move { told(self.way()?.peers().await) })
    }

    fn name(&self) -> Answer<'_, String> {
        Box::pin(async move { told(self.way()?.name().await) })
    }
}
