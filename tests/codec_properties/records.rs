//! Records of the kinds that are made of more than one number.

use super::*;

fn content() -> BoxedStrategy<Content> {
    prop_oneof![
        bytes(1_536).prop_map(Content::Inline),
        (number(), number(), bytes(1_280), option::of(hash()))
            .prop_map(|(number, len, head, hash)| Content::Stored { number, len, head, hash }),
    ]
    .boxed()
}

fn spot() -> BoxedStrategy<Spot> {
    (node(), 0..8_u8, number())
        .prop_map(|(destination, rank, arrival)| Spot { destination, rank, arrival })
        .boxed()
}

fn death() -> BoxedStrategy<DeathReason> {
    prop_oneof![
        refusal().prop_map(DeathReason::Refused),
        Just(DeathReason::ReachTimeExpired),
        Just(DeathReason::ReceiveTimeExpired),
        Just(DeathReason::Skipped),
        Just(DeathReason::OutcomeUnknown),
        Just(DeathReason::Damaged),
    ]
    .boxed()
}

fn sent() -> BoxedStrategy<Record> {
    let state = prop_oneof![
        Just(SentState::Waiting),
        Just(SentState::Arrived),
        Just(SentState::Received),
        Just(SentState::Ended),
        death().prop_map(SentState::Dead),
        death().prop_map(SentState::Unconfirmed),
    ];
    (state, at(), at(), at(), option::of(spot()), option::of(number()))
        .prop_map(|(state, accepted_at, expires_at, timer_at, copy, dead)| {
            Record::Sent(Sent { state, accepted_at, expires_at, timer_at, copy, dead })
        })
        .boxed()
}

fn copy() -> BoxedStrategy<Record> {
    (outer(), transit(), at(), content(), short())
        .prop_map(|(outer, transit, arrived_at, content, digest)| {
            Record::Copy(Box::new(Copy { outer, transit, arrived_at, content, digest }))
        })
        .boxed()
}

fn queue() -> BoxedStrategy<Record> {
    let quotas = (option::of(number()), option::of(number()));
    (queue_name(), any::<bool>(), quotas, at(), number(), number())
        .prop_map(|(name, transactional, quotas, created_at, messages, bytes)| {
            let (max_messages, max_bytes) = quotas;
            Record::Queue(Queue {
                name,
                transactional,
                max_messages,
                max_bytes,
                created_at,
                messages,
                bytes,
            })
        })
        .boxed()
}

fn queued() -> BoxedStrategy<Queued> {
    let head = (message_id(), delivery(), priority(), at());
    let times = (option::of(at()), at(), option::of(at()));
    (head, times, any::<u32>(), short(), content())
        .prop_map(|((id, delivery, priority, enqueued_at), times, returned, digest, content)| {
            let (expires_at, visible_at, timer_at) = times;
            Queued {
                id,
                delivery,
                priority,
                enqueued_at,
                expires_at,
                visible_at,
                timer_at,
                returned,
                digest,
                content,
            }
        })
        .boxed()
}

fn inbox() -> BoxedStrategy<Record> {
    (receipt(), option::of(epoch()))
        .prop_map(|(receipt, told)| {
            Record::Inbox(Box::new(Inbox {
                floors: receipt.floors,
                watermark: receipt.watermark,
                received: receipt.received,
                refused: receipt.refused,
                skipped: receipt.skipped,
                held: receipt.held,
                used: receipt.used,
                ended: receipt.ended,
                digest: receipt.digest,
                told,
            }))
        })
        .boxed()
}

fn dead() -> BoxedStrategy<Record> {
    let head = (message_id(), node(), queue_name(), delivery(), priority());
    let limits = (number(), option::of(number()));
    (head, limits, death(), at(), any::<bool>(), content(), extensions())
        .prop_map(|(head, limits, reason, died_at, unconfirmed, content, extensions)| {
            let (id, destination, queue, delivery, priority) = head;
            let (reach_within_ms, ttl_ms) = limits;
            Record::Dead(Box::new(Dead {
                id,
                destination,
                queue,
                delivery,
                priority,
                reach_within_ms,
                ttl_ms,
                reason,
                died_at,
                unconfirmed,
                content,
                extensions,
            }))
        })
        .boxed()
}

fn hash() -> BoxedStrategy<ContentHash> {
    any::<[u8; 32]>().prop_map(ContentHash).boxed()
}

fn partial() -> BoxedStrategy<Record> {
    let place = (outer(), hash(), number(), ranges());
    (place, option::of(queue_name()), at(), any::<bool>())
        .prop_map(|((outer, hash, content, chunks), queue, touched_at, checked)| {
            let partial = Partial { outer, hash, content, chunks, queue, touched_at, checked };
            Record::Partial(Box::new(partial))
        })
        .boxed()
}

fn once() -> BoxedStrategy<Record> {
    let lines = vec((number().prop_map(LineId), number()), 0..32);
    (short(), at(), number(), number(), epoch(), lines, bytes(256))
        .prop_map(|(digest, at, order, number, epoch, lines, places)| {
            Record::Once(Box::new(Once { digest, at, order, number, epoch, lines, places }))
        })
        .boxed()
}

pub(crate) fn record() -> BoxedStrategy<Record> {
    prop_oneof![
        sent(),
        copy(),
        queue(),
        queued().prop_map(|queued| Record::Queued(Box::new(queued))),
        queued().prop_map(|queued| Record::Held(Box::new(queued))),
        inbox(),
        dead(),
        attested(receipt()).prop_map(|receipt| Record::Receipt(Box::new(receipt))),
        attested(status()).prop_map(|status| Record::Status(Box::new(status))),
        directory_record().prop_map(Record::Directory),
        bytes(4_000).prop_map(Record::Chunk),
        at().prop_map(Record::Clock),
        spot().prop_map(Record::CopyOf),
        once(),
        short().prop_map(Record::OnceKey),
        partial(),
        number().prop_map(Record::Stage),
        any::<u32>().prop_map(Record::Shares),
    ]
    .boxed()
}
