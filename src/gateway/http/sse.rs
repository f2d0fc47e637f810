//! Server-sent events: deliveries of a queue under locks, and news of the node.
//!
//! Both are resumed by the id of the last event that was seen. Nothing is buffered for a slow reader
//! beyond the window of its stream, or the node's one list of late news; who falls behind that is told.

use super::api::{Octets, Problems};
use super::error::Refusal;
use super::extract::{Name, Query, count_up_to, number};
use super::locks::lease_ms;
use super::{Caller, view};
use crate::client::json::{RECEIVE_MAX, StreamEvent};
use crate::service::{DeliveryStream, Service, ServiceError, StreamOptions, WINDOW_DEFAULT};
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

/// Between two comments that keep a silent stream open, and tell the node of a lost reader.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// What a reader that was cut off is told to wait before it comes back.
const COME_BACK: Duration = Duration::from_secs(1);
/// Between two looks whether the reader's token still holds.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How a stream is opened.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StreamQuery {
    #[serde(deserialize_with = "number")]
    window: Option<f64>,
    #[serde(deserialize_with = "number")]
    lease_s: Option<f64>,
}

/// `GET /v1/queues/{queue}/stream`: deliveries under locks, as they come.
#[utoipa::path(
    get, path = "/v1/queues/{queue}/stream", tag = "messages", operation_id = "sse_deliveries",
    params(
        ("queue" = String, Path, description = "A local queue"),
        ("window" = inline(Option<usize>), Query, minimum = 1, maximum = 256,
         description = "Deliveries that may be out without being settled: 16 unless said"),
        ("lease_s" = inline(Option<f64>), Query, minimum = 0.001, maximum = 43_200.0,
         description = "How long their locks last unless extended, in seconds: 30 unless said"),
        ("Last-Event-ID" = inline(Option<String>), Header,
         description = "The last event seen, of a stream that broke off",
         pattern = "^([0-9a-f]{8}[.](0|[1-9a-f][0-9a-f]{0,15})[.](0|[1-9][0-9]{0,18}))?$"),
    ),
    responses(
        (status = 200, description = "Events `open`, `message`, `problem`",
         body = Octets, content_type = "text/event-stream"),
        Problems
    )
)]
pub(super) async fn deliveries(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Name(queue): Name,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let after = last_seen(&headers)?;
    let options = StreamOptions {
        window: match query.window {
            Some(window) => count_up_to("window", window, RECEIVE_MAX)?,
            None => WINDOW_DEFAULT,
        },
        lease_ms: lease_ms(query.lease_s.unwrap_or(30.0))?,
        after,
    };
    let stream = service.stream(&queue, options).await?;
    let opened = StreamEvent { resumed: stream.is_resumed() };
    let opened = event("open", &opened).id(stream.place().to_string()).retry(COME_BACK);
    let deliveries = stream::unfold(Some(stream), next_delivery);
    let events = stream::once(std::future::ready(opened)).chain(deliveries);
    Ok(answer(&service, &caller, events))
}

async fn next_delivery(open: Option<DeliveryStream>) -> Option<(Event, Option<DeliveryStream>)> {
    let mut stream = open?;
    match stream.next().await {
        Ok(Some((place, received))) => {
            let message = view::received(stream.service(), received);
            Some((event("message", &message).id(place.to_string()), Some(stream)))
        }
        Ok(None) => None,
        Err(why) => {
            let refusal = Refusal::from(why);
            stream.service().refused(&refusal.problem().code);
            Some((event("problem", refusal.problem()), None))
        }
    }
}

/// The event that was seen last.
fn last_seen<T: FromStr<Err = ServiceError>>(headers: &HeaderMap) -> Result<Option<T>, Refusal> {
    match headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?")) {
        None | Some("") => Ok(None),
        Some(text) => Ok(Some(text.parse()?)),
    }
}

/// `GET /v1/events`: news of the node from now on, or after the event that was seen last.
#[utoipa::path(
    get, path = "/v1/events", tag = "node", operation_id = "sse_news",
    params(
        ("Last-Event-ID" = inline(Option<String>), Header,
         description = "The last event seen, of events that broke off",
         pattern = "^([0-9a-f]{8}[.](0|[1-9][0-9]{0,18}))?$"),
    ),
    responses(
        (status = 200, description = "Events `open`, `state`, `entered`, `consumed`, `link`, `lagged`",
         body = Octets, content_type = "text/event-stream"),
        Problems
    )
)]
pub(super) async fn news(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let reader = service.news(last_seen(&headers)?);
    let opened = StreamEvent { resumed: reader.is_resumed() };
    let opened = event("open", &opened).id(reader.place().to_string()).retry(COME_BACK);
    let news = stream::unfold((service.clone(), reader), |(service, mut reader)| async {
        let news = view::news(&service, reader.next().await?);
        let data = news.data().expect("the wire types have string keys only");
        let event = Event::default().event(news.name()).data(data).id(reader.place().to_string());
        Some((event, (service, reader)))
    });
    let events = stream::once(std::future::ready(opened)).chain(news);
    Ok(answer(&service, &caller, events))
}

fn event(name: &'static str, data: &impl Serialize) -> Event {
    let data = serde_json::to_string(data).expect("the wire types have string keys only");
    Event::default().event(name).data(data)
}

/// The answer that goes on until the node stops or the reader's token is revoked.
fn answer(
    service: &Service,
    caller: &Caller,
    events: impl futures::Stream<Item = Event> + Send + 'static,
) -> Response {
    let (service, token) = (service.clone(), caller.token.clone());
    let over = Box::pin(async move {
        tokio::select! {
            () = service.stopping() => {}
            () = revoked(&service, token) => {}
        }
    });
    let events = Box::pin(events).take_until(over).map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive");
    Sse::new(events).keep_alive(keep_alive).into_response()
}

/// Waits until the named token is no more; for ever where none was shown.
async fn revoked(service: &Service, token: Option<String>) {
    let Some(token) = token else { return std::future::pending().await };
    let mut look = tokio::time::interval(LOOK_AGAIN);
    while service.accesses().iter().any(|access| access.id == token) {
        look.tick().await;
    }
}
