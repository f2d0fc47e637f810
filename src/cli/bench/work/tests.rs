use super::*;

const PAGE: &str = "\
# TYPE meshmq_store_writes_total counter
meshmq_store_writes_total{kind=\"record\"} 300
meshmq_store_writes_total{kind=\"timer\"} 100
meshmq_store_writes_total{kind=\"removal\"} 50
meshmq_store_written_bytes_total 200000
meshmq_engine_busy_seconds_total 0.4
meshmq_store_commit_seconds_sum 0.3
meshmq_store_commit_seconds_count 10
meshmq_store_sync_seconds_total 0.1
";

#[test]
fn the_share_of_a_message_is_what_was_done_between_two_looks() {
    let now = Work::read(PAGE);
    let then = Work::read("meshmq_store_commit_seconds_count 5\nmeshmq_links 3\n");
    let done = now.and(&then).since(&then).since(&then);
    assert_eq!(
        done.per(100),
        PerMessage {
            commits: 0.05,
            records: 3.0,
            timers: 1.0,
            removals: 0.5,
            written_bytes: 2000.0,
            rules_us: 1000.0,
            apply_us: 2000.0,
            sync_us: 1000.0,
        }
    );
    assert_eq!(then.since(&now), Work::default());
}
