//! News of the node, as they happen. Nothing is kept for those who were not there.

use super::{LinkNews, Sent, Service};
use crate::engine::address::QueueName;
use crate::engine::ids::MessageId;
use crate::engine::step::Event;
use futures::stream::{self, Stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Something that happened at the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A message that was sent here has come further.
    State(Sent),
    /// A message came into a local queue.
    Entered {
        /// Which queue.
        queue: QueueName,
        /// Which message.
        id: MessageId,
    },
    /// A program received a message of a local queue.
    Consumed {
        /// Which queue.
        queue: QueueName,
        /// Which message.
        id: MessageId,
    },
    /// A link came up or went down.
    Link {
        /// The other end, by name, or by id if the name is not known here.
        node: String,
        /// Whether it is up now.
        up: bool,
    },
    /// The reader was too slow: so many are missing here.
    Lagged(u64),
}

impl Service {
    /// What happens from now on, until the node stops.
    pub fn news(&self) -> impl Stream<Item = News> + Send + 'static {
        use futures::StreamExt as _;
        let of_messages = stream::unfold(self.handle().events(), next_of_messages);
        let of_links = stream::unfold((self.clone(), self.link_news()), next_of_links);
        let service = self.clone();
        let over = Box::pin(async move { service.stopping().await });
        stream::select(Box::pin(of_messages), Box::pin(of_links)).take_until(over)
    }
}

async fn next_of_messages(mut feed: Receiver<Event>) -> Option<(News, Receiver<Event>)> {
    loop {
        let news = match feed.recv().await {
            Ok(Event::State { id, state }) => News::State(Sent { id: id.reference(), state }),
            Ok(Event::Entered { queue, id, .. }) => News::Entered { queue, id },
            Ok(Event::Consumed { queue, id }) => News::Consumed { queue, id },
            Ok(_) => continue,
            Err(RecvError::Lagged(missed)) => News::Lagged(missed),
            Err(RecvError::Closed) => return None,
        };
        return Some((news, feed));
    }
}

type Links = (Service, Receiver<LinkNews>);

async fn next_of_links((service, mut feed): Links) -> Option<(News, Links)> {
    let news = match feed.recv().await {
        Ok(LinkNews { node, up }) => News::Link { node: service.node_text(node), up },
        Err(RecvError::Lagged(missed)) => News::Lagged(missed),
        Err(RecvError::Closed) => return None,
    };
    Some((news, (service, feed)))
}
