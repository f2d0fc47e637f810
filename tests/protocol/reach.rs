//! Link states: everybody knows the ways of its component, whatever links come and go, and is told no
//! more than that.

use crate::bench::{Bench, Name, Packet, id};
use meshmq::engine::address::NodeId;
use meshmq::engine::command::{Command, Reply};
use meshmq::engine::frame::Frame;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [Name; 7] = ["a", "b", "c", "d", "e", "f", "g"];

fn reach(b: &mut Bench, name: Name) -> BTreeMap<NodeId, NodeId> {
    match b.ask(name, Command::Reach) {
        Ok(Reply::Reach(ways)) => ways.into_iter().collect(),
        other => panic!("{other:?}"),
    }
}

/// The nodes that a node can reach over the links that are there.
fn component(b: &Bench, of: Name) -> BTreeSet<NodeId> {
    let (mut found, mut open) = (BTreeSet::from([of]), vec![of]);
    while let Some(name) = open.pop() {
        for &(one, other) in &b.links {
            let next = if one == name { other } else { one };
            if (one == name || other == name) && found.insert(next) {
                open.push(next);
            }
        }
    }
    found.remove(of);
    found.into_iter().map(id).collect()
}

/// Link states that one node said to another since a moment of the history.
fn told(b: &Bench, from: Name, to: Name, since: usize) -> BTreeSet<NodeId> {
    let said = b.history[since..].iter().filter_map(|packet| match packet {
        Packet::Request { from: one, to: other, frames, .. } if (*one, *other) == (from, to) => {
            Some(frames)
        }
        _ => None,
    });
    let nodes = said.flatten().filter_map(|frame| match frame {
        Frame::LinkState(state) => Some(state.statement.node),
        _ => None,
    });
    nodes.collect()
}

#[test]
fn after_any_changes_everybody_knows_its_component() {
    for seed in 1..=40_u64 {
        let mut b = Bench::new(&NAMES);
        let mut draw = seed;
        let mut below = |bound: usize| {
            draw = draw
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (draw >> 33) as usize % bound
        };
        for step in 0..60 {
            let (one, other) = (NAMES[below(7)], NAMES[below(7)]);
            let (one, other) = (one.min(other), one.max(other));
            match below(8) {
                _ if one == other => b.settle(),
                0..=4 if !b.links.contains(&(one, other)) => b.link(one, other),
                5 | 6 => b.cut(one, other),
                7 => {
                    b.kill(one);
                    b.restart(one);
                }
                _ => {}
            }
            if step % 3 != 0 {
                continue;
            }
            b.settle();
            for name in NAMES {
                let found: BTreeSet<NodeId> = reach(&mut b, name).into_keys().collect();
                assert_eq!(found, component(&b, name), "seed {seed}, step {step}, node {name}");
            }
        }
    }
}

#[test]
fn a_neighbour_is_told_the_component_and_what_comes_into_it_later() {
    let mut b = Bench::new(&["a", "b", "c", "x"]);
    b.link("a", "b");
    b.link("b", "c");
    b.settle();
    b.cut("a", "b");
    b.settle();
    let since = b.history.len();
    b.link("a", "x");
    b.settle();
    assert_eq!(told(&b, "a", "x", since), [id("a")].into(), "b and c are out of its reach");
    assert_eq!(reach(&mut b, "x").len(), 1);
    let since = b.history.len();
    b.link("a", "b");
    b.settle();
    assert_eq!(told(&b, "a", "x", since), [id("a"), id("b"), id("c")].into());
    assert_eq!(reach(&mut b, "x"), ["a", "b", "c"].map(|name| (id(name), id("a"))).into());
}

#[test]
fn states_that_come_together_are_searched_once_and_passed_on() {
    let mut b = Bench::new(&["a", "b", "c", "d"]);
    b.link("c", "d");
    b.link("b", "c");
    b.settle();
    let since = b.history.len();
    b.link("a", "b");
    b.settle();
    assert_eq!(told(&b, "b", "a", since), [id("b"), id("c"), id("d")].into());
    assert_eq!(told(&b, "b", "c", since), [id("a"), id("b")].into());
    assert_eq!(reach(&mut b, "d"), ["a", "b", "c"].map(|name| (id(name), id("c"))).into());
}
