//! The delivery rules R1–R24 on whole engines: each test replays the shortest trace that breaks
//! when its rule is missing.

#[path = "protocol/bench.rs"]
mod bench;
#[path = "protocol/delivery.rs"]
mod delivery;
