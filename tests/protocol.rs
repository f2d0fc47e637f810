//! The delivery rules R1–R24 on whole engines: each test replays the shortest trace that breaks
//! when its rule is missing.

#[path = "protocol/asking.rs"]
mod asking;
#[path = "protocol/bench.rs"]
mod bench;
#[path = "protocol/custody.rs"]
mod custody;
#[path = "protocol/delivery.rs"]
mod delivery;
#[path = "protocol/epochs.rs"]
mod epochs;
#[path = "protocol/verdicts.rs"]
mod verdicts;
