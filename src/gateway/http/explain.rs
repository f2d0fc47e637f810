//! Questions about what does not move, and waiting for what does.

use super::api::Problems;
use super::error::Refusal;
use super::extract::{Name, Query, number};
use super::messages::patience;
use super::view::{self, seconds, time};
use crate::client::json::{
    Condition, ConditionState, Discovery, DiscoveryState, Sent, SentState, Step, Trace, Wait, Why,
};
use crate::engine::command::MessageState;
use crate::engine::time::Timestamp;
use crate::service::{self, Service};
use axum::extract::State;
use serde::Deserialize;

/// For what to wait, and how long at most.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UntilQuery {
    until: Wait,
    #[serde(default, deserialize_with = "number")]
    timeout_s: Option<f64>,
}

/// `GET /v1/messages/{id}/wait`
#[utoipa::path(
    get, path = "/v1/messages/{id}/wait", tag = "messages", operation_id = "messages_wait",
    params(
        ("id" = String, Path, description = "The id of a message that was sent here"),
        ("until" = inline(Wait), Query, description = "How far it is to come"),
        ("timeout_s" = inline(Option<f64>), Query, description = "How long to wait at most: 30 unless said",
         minimum = 0, maximum = 9_000_000_000_000.0),
    ),
    responses((status = 200, description = "How far it has come then", body = Sent), Problems)
)]
pub(super) async fn wait(
    State(service): State<Service>,
    Name(id): Name,
    Query(query): Query<UntilQuery>,
) -> Result<axum::Json<Sent>, Refusal> {
    let (until, timeout) = patience(query.until, query.timeout_s)?;
    let sent = service.state_when(&id, until, timeout).await?;
    Ok(axum::Json(view::sent(&service, sent)))
}

/// `GET /v1/messages/{id}/trace`
#[utoipa::path(
    get, path = "/v1/messages/{id}/trace", tag = "messages", operation_id = "messages_trace",
    params(
        ("id" = String, Path, description = "The id of a message that was sent here"),
    ),
    responses((status = 200, description = "What is known of it", body = Trace), Problems)
)]
pub(super) async fn trace(
    State(service): State<Service>,
    Name(id): Name,
) -> Result<axum::Json<Trace>, Refusal> {
    let found = service.trace(&id).await?;
    Ok(axum::Json(traced(&service, found).await?))
}

/// `GET /v1/messages/{id}/why`
#[utoipa::path(
    get, path = "/v1/messages/{id}/why", tag = "messages", operation_id = "messages_why",
    params(
        ("id" = String, Path, description = "The id of a message that was sent here"),
    ),
    responses((status = 200, description = "Why it is where it is", body = Why), Problems)
)]
pub(super) async fn why_message(
    State(service): State<Service>,
    Name(id): Name,
) -> Result<axum::Json<Why>, Refusal> {
    let found = service.why_message(&id).await?;
    Ok(axum::Json(why(&service, found).await?))
}

/// `GET /v1/outgoing/{node}/why`
#[utoipa::path(
    get, path = "/v1/outgoing/{node}/why", tag = "outgoing", operation_id = "outgoing_why",
    params(
        ("node" = String, Path, description = "The name of a node, or its id",
         pattern = "^[a-z0-9~-]{1,128}$"),
    ),
    responses((status = 200, description = "Why its messages are where they are", body = Why), Problems)
)]
pub(super) async fn why_node(
    State(service): State<Service>,
    Name(node): Name,
) -> Result<axum::Json<Why>, Refusal> {
    let found = service.why_node(&node).await?;
    Ok(axum::Json(why(&service, found).await?))
}

/// `GET /v1/discovery`
#[utoipa::path(
    get, path = "/v1/discovery", tag = "mesh", operation_id = "discovery",
    responses((status = 200, description = "How nodes on the same network are looked for", body = Discovery), Problems)
)]
pub(super) async fn discovery(State(service): State<Service>) -> axum::Json<Discovery> {
    let (state, why) = match service.discovery() {
        service::Discovery::On => (DiscoveryState::On, None),
        service::Discovery::Off => (DiscoveryState::Off, None),
        service::Discovery::Failed(why) => (DiscoveryState::Failed, Some(why)),
    };
    axum::Json(Discovery { state, why })
}

async fn why(service: &Service, found: service::Why) -> Result<Why, Refusal> {
    let checks = found.findings.into_iter().map(|finding| Condition {
        check: finding.check.to_owned(),
        outcome: match finding.outcome {
            service::ConditionState::Holds => ConditionState::Ok,
            service::ConditionState::Fails => ConditionState::Fail,
            service::ConditionState::Open => ConditionState::Open,
        },
        detail: finding.detail,
        hint: Some(finding.hint).filter(|hint| !hint.is_empty()),
    });
    let checks = checks.collect();
    let message = match found.message {
        Some(trace) => Some(traced(service, trace).await?),
        None => None,
    };
    Ok(Why {
        destination: found.destination,
        message,
        waiting: found.waiting,
        checks,
        next_try_s: found.next_try_ms.map(seconds),
    })
}

async fn traced(service: &Service, trace: service::Trace) -> Result<Trace, Refusal> {
    let sent = view::sent(service, service::Sent { id: trace.id, state: trace.state });
    let own = service.status().await?.name;
    let at = |moment: Timestamp| Some(time(service, moment));
    let step = |step: &str, node: &str, at: Option<String>| Step {
        step: step.to_owned(),
        node: node.to_owned(),
        at,
    };
    let mut steps = vec![step("stored", &own, at(trace.accepted_at))];
    let destination = trace.destination.as_str();
    match trace.state {
        MessageState::Stored => {}
        MessageState::InTransit(holder) => {
            steps.push(step("handed", &service.node_text(holder), None));
        }
        MessageState::Arrived | MessageState::Received => {
            // A queue of this node has it in the same step.
            let local = trace.expires_at.is_none();
            let arrived = if local { at(trace.accepted_at) } else { None };
            steps.push(step("arrived", destination, arrived));
            if sent.state == SentState::Received {
                steps.push(step("received", destination, None));
            }
        }
        MessageState::Dead(_) | MessageState::Unconfirmed(_) => {
            steps.push(step(sent.state.as_str(), &own, trace.died_at.and_then(at)));
        }
    }
    Ok(Trace {
        id: sent.id,
        to: format!("{}@{}", trace.queue, trace.destination),
        delivery: trace.delivery,
        priority: trace.priority.value(),
        state: sent.state,
        reason: sent.reason,
        expires_at: trace.expires_at.and_then(at),
        held_there: trace.held_there,
        steps,
    })
}
