//! The delivery rules R1–R24 on whole engines: each test replays the shortest trace that breaks
//! when its rule is missing.

#[path = "protocol/asking.rs"]
mod asking;
#[path = "protocol/bench.rs"]
mod bench;
#[path = "protocol/bounded.rs"]
mod bounded;
#[path = "protocol/commits.rs"]
mod commits;
#[path = "protocol/crash_points.rs"]
mod crash_points;
#[path = "protocol/damage.rs"]
mod damage;
#[path = "protocol/delivery.rs"]
mod delivery;
#[path = "protocol/directory.rs"]
mod directory;
#[path = "protocol/disk.rs"]
mod disk;
#[path = "protocol/edge.rs"]
mod edge;
#[path = "protocol/epochs.rs"]
mod epochs;
#[path = "protocol/expiry.rs"]
mod expiry;
#[path = "protocol/floors.rs"]
mod floors;
#[path = "protocol/held.rs"]
mod held;
#[path = "protocol/large.rs"]
mod large;
#[path = "protocol/limits.rs"]
mod limits;
#[path = "protocol/links.rs"]
mod links;
#[path = "protocol/liveness.rs"]
mod liveness;
#[path = "protocol/more.rs"]
mod more;
#[path = "protocol/mortal.rs"]
mod mortal;
#[path = "protocol/once.rs"]
mod once;
#[path = "protocol/queues.rs"]
mod queues;
#[path = "protocol/reach.rs"]
mod reach;
#[path = "protocol/receipts.rs"]
mod receipts;
#[path = "protocol/relays.rs"]
mod relays;
#[path = "protocol/retry.rs"]
mod retry;
#[path = "protocol/soup.rs"]
mod soup;
#[path = "protocol/verdicts.rs"]
mod verdicts;
#[path = "protocol/ways.rs"]
mod ways;
