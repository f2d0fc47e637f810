use super::*;
use crate::engine::ids::StreamId;

#[test]
fn queues_beyond_those_shown_are_counted_together() {
    let mut counts = Counts::default();
    for number in 0..QUEUES_SHOWN + 3 {
        let queue: QueueName = format!("q{number}").parse().expect("a name");
        counts.queue(&queue).stored.add(Via::Http, 1);
        counts.queue(&queue).expired += 1;
        counts.died((NodeId::FIRST, queue), "reason");
        counts.refused(Via::Http, &format!("code{number}"));
    }
    assert_eq!(counts.queues.len(), QUEUES_SHOWN);
    assert_eq!((counts.other.stored.of(Via::Http), counts.other.expired), (3, 3));
    assert_eq!(counts.other.stored.of(Via::Mesh), 0);
    assert_eq!((counts.dead.len(), counts.other_dead["reason"]), (QUEUES_SHOWN, 3));
    assert_eq!(counts.refused.len(), CODES_SHOWN);
    assert_eq!(counts.other_refused[&Via::Http], (QUEUES_SHOWN + 3 - CODES_SHOWN) as u64);
}

#[test]
fn messages_on_their_way_are_remembered_up_to_a_bound() {
    let metrics = Metrics::default();
    let id = |number| MessageId { stream: StreamId::FIRST, number };
    let ids: Vec<_> = (1..=TIMED_MAX as u64 + 5).map(id).collect();
    metrics.sent(&ids, Via::Local, Timestamp::ZERO);
    assert_eq!(metrics.accepted().len(), TIMED_MAX);
    assert_eq!(metrics.counts().sent.of(Via::Local), TIMED_MAX as u64 + 5);
}
