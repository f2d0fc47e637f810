//! Tests of the module above.

use super::*;

fn args(line: &[&str]) -> BenchArgs {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: BenchArgs,
    }
    let line = std::iter::once("bench").chain(line.iter().copied());
    <Line as clap::Parser>::try_parse_from(line).map(|line| line.args).expect("a good line")
}

#[test]
fn the_log_is_measured_wherever_a_ratio_needs_it() {
    assert_eq!(cases_of(&args(&["two_nodes"])), [Case::Log, Case::TwoNodes]);
    assert_eq!(cases_of(&args(&["round_trip"])), [Case::RoundTrip]);
    assert!(!cases_of(&args(&[])).contains(&Case::Backlog), "only if it is asked for");
    assert_eq!(concurrencies(Case::Drain, &args(&[])), [1]);
    assert_eq!(concurrencies(Case::Log, &args(&["--concurrency", "7"])), [7]);
}

#[test]
fn figures_are_those_of_all_times() {
    let each = (1..=100).map(Duration::from_micros).collect();
    let figures = Figures::of(each, Duration::from_secs(2));
    assert_eq!(
        (figures.per_s, figures.p50_us.round(), figures.p99_us.round()),
        (50.0, 51.0, 100.0)
    );
    assert_eq!(Figures::of(Vec::new(), Duration::ZERO).p50_us, 0.0);
}
