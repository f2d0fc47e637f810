use super::{
    Action, Book, DIALS_MAX, Keeper, LARGER_WAITS_MS, Moment, REDIAL_FIRST_MS,
    STRANGER_AT_STATIC_MS, Target, UNFINISHED_MS,
};
use crate::engine::address::NodeId;
use libp2p::swarm::ConnectionId;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;

fn node(number: u8) -> NodeId {
    NodeId::from_bytes([number; 32])
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

/// A keeper in a world of its own.
struct World {
    keeper: Keeper,
    now_ms: u64,
    in_mesh: bool,
    members: RefCell<BTreeSet<NodeId>>,
}

impl World {
    /// The node 100, so that there are smaller and larger ones; 1 to 199 are members.
    fn new(statics: &[SocketAddr]) -> Self {
        let statics = statics.iter().map(|at| at.to_string().parse().expect("an address"));
        let keeper = Keeper::new(node(100), Book::default(), statics.collect(), 1, 0);
        let members = RefCell::new((1..200).map(node).collect());
        Self { keeper, now_ms: 0, in_mesh: true, members }
    }

    fn with<T>(&mut self, f: impl FnOnce(&mut Keeper, &Moment<'_>) -> T) -> T {
        let members = &self.members;
        let moment = Moment {
            now_ms: self.now_ms,
            in_mesh: self.in_mesh,
            member: &|node| members.borrow().contains(&node),
            doubtful: &|_| false,
        };
        f(&mut self.keeper, &moment)
    }

    fn poll(&mut self) -> Vec<Action> {
        self.with(|keeper, moment| keeper.poll(moment))
    }

    fn discovered(&mut self, number: u8) {
        self.with(|keeper, moment| {
            keeper.discovered(node(number), at(u16::from(number)), moment);
        });
    }

    /// The dials that begin now, by number and target.
    fn dials(&mut self) -> Vec<(u64, Target)> {
        let of = |action| match action {
            Action::Dial { dial, target, .. } => Some((dial, target)),
            Action::Close(_) => None,
        };
        self.poll().into_iter().filter_map(of).collect()
    }

    /// The first dial within so long, and when it begins.
    fn first_dial(&mut self, within_ms: u64) -> Option<(u64, u64)> {
        let until = self.now_ms + within_ms;
        while self.now_ms <= until {
            if let Some((dial, _)) = self.dials().first() {
                return Some((*dial, self.now_ms));
            }
            self.now_ms += 10;
        }
        None
    }

    /// A proven connection that this node did not dial.
    fn linked(&mut self, number: u8, connection: usize) {
        self.keeper.established(node(number), id(connection), None, false, self.now_ms);
        self.keeper.ready(node(number), id(connection), 7, self.now_ms);
    }
}

#[test]
fn the_smaller_node_dials_at_once_and_the_larger_waits() {
    let mut world = World::new(&[]);
    world.discovered(150);
    assert_eq!(world.dials(), [(1, Target::Node(node(150), vec![at(150)]))]);
    world.discovered(50);
    assert_eq!(world.first_dial(10_000).map(|(_, at)| at), Some(LARGER_WAITS_MS));
}

#[test]
fn a_lost_link_is_dialed_again_and_again() {
    let mut world = World::new(&[]);
    world.discovered(150);
    world.dials();
    world.keeper.established(node(150), id(1), Some(1), true, 0);
    world.keeper.ready(node(150), id(1), 7, 0);
    assert_eq!(world.first_dial(60_000), None, "it is linked");
    let lost = world.now_ms;
    world.keeper.closed(node(150), id(1), lost);
    for tries in 0..100 {
        let (dial, when) = world.first_dial(3_000).expect("it goes on");
        assert!(tries > 0 || when - lost <= 2 * REDIAL_FIRST_MS, "{when}");
        world.keeper.failed(dial);
    }
}

#[test]
fn an_hour_later_it_is_still_tried_and_a_sign_of_life_hastens_it() {
    let mut world = World::new(&[]);
    world.discovered(150);
    let mut last = 0;
    while world.now_ms < 3_600_000 {
        let (dial, when) = world.first_dial(10_000).expect("for ever");
        world.keeper.failed(dial);
        (world.now_ms, last) = (when + 10, when);
    }
    assert!(world.first_dial(2_000).is_none(), "seldom by now, after {last}");
    world.discovered(150);
    assert_eq!(world.dials().len(), 1, "at once");
}

#[test]
fn a_dial_that_hangs_does_not_keep_the_next_from_being_tried() {
    let mut world = World::new(&[]);
    world.discovered(150);
    assert!(world.first_dial(0).is_some());
    let (_, again) = world.first_dial(60_000).expect("another");
    assert!((UNFINISHED_MS..UNFINISHED_MS + 1_000).contains(&again), "{again}");
}

#[test]
fn patient_dials_run_beside_the_others() {
    let mut world = World::new(&[]);
    world.discovered(150);
    let (mut patient, mut quick) = (0, 0);
    while world.now_ms < 30_000 {
        for action in world.poll() {
            match action {
                Action::Dial { patient: true, .. } => patient += 1,
                Action::Dial { dial, .. } => {
                    quick += 1;
                    world.keeper.failed(dial);
                }
                Action::Close(_) => panic!("nothing to close"),
            }
        }
        world.now_ms += 100;
    }
    assert!(patient >= 5 && quick >= 3 * patient, "{patient} and {quick}");
}

#[test]
fn a_new_address_of_this_machine_is_a_reason_to_try_everybody() {
    let mut world = World::new(&[at(9)]);
    world.discovered(150);
    while world.now_ms < 3_600_000 {
        for (dial, _) in world.dials() {
            world.keeper.failed(dial);
        }
        world.now_ms += 50;
    }
    assert!(world.dials().is_empty(), "seldom by now");
    let now = world.now_ms;
    world.keeper.moved(now);
    assert_eq!(world.dials().len(), 2, "the member and the configured place");
}

#[test]
fn a_configured_place_is_dialed_until_a_member_answers() {
    let mut world = World::new(&[at(9)]);
    let (dial, _) = world.first_dial(0).expect("at once");
    world.keeper.failed(dial);
    let (dial, _) = world.first_dial(1_000).expect("again");
    world.keeper.established(node(50), id(1), Some(dial), true, world.now_ms);
    world.keeper.ready(node(50), id(1), 7, world.now_ms);
    world.keeper.reached(node(50), at(9));
    assert_eq!(world.first_dial(60_000), None, "it is linked");
    world.keeper.closed(node(50), id(1), world.now_ms);
    let (_, target) = {
        let (dial, _) = world.first_dial(3_000).expect("again");
        world.keeper.failed(dial);
        world.now_ms += 3_000;
        world.dials().remove(0)
    };
    assert!(matches!(target, Target::Place(_)), "as a place, not twice: {target:?}");
}

#[test]
fn a_stranger_at_a_configured_place_is_asked_again_soon() {
    let mut world = World::new(&[at(9)]);
    let (dial, when) = world.first_dial(0).expect("at once");
    world.keeper.established(node(220), id(1), Some(dial), true, when);
    world.keeper.stranger_met(node(220), None, when);
    world.keeper.closed(node(220), id(1), when);
    let (_, again) = world.first_dial(60_000).expect("again");
    assert!((STRANGER_AT_STATIC_MS..STRANGER_AT_STATIC_MS + 1_000).contains(&again), "{again}");
}

#[test]
fn strangers_are_knocked_four_at_a_time_and_not_again() {
    let mut world = World::new(&[]);
    for number in 210..230 {
        world.discovered(number);
    }
    let first = world.dials();
    assert_eq!(first.len(), 4);
    assert!(world.dials().is_empty());
    for (dial, _) in &first {
        world.keeper.failed(*dial);
    }
    let second = world.dials();
    assert_eq!(second.len(), 4);
    assert!(second.iter().all(|it| !first.iter().any(|before| before.1 == it.1)));
}

#[test]
fn a_stranger_that_became_a_member_is_dialed_like_one() {
    let mut world = World::new(&[]);
    world.discovered(220);
    let (dial, _) = world.first_dial(0).expect("a knock");
    world.keeper.failed(dial);
    assert_eq!(world.first_dial(60_000), None);
    world.members.borrow_mut().insert(node(220));
    assert!(world.first_dial(1_000).is_some());
}

#[test]
fn who_is_no_member_any_more_is_forgotten() {
    let mut world = World::new(&[]);
    world.discovered(150);
    world.keeper.book().changes();
    world.members.borrow_mut().remove(&node(150));
    assert!(world.dials().is_empty());
    assert_eq!(world.keeper.book().changes().len(), 1, "out of the book too");
}

#[test]
fn a_node_in_no_mesh_dials_nobody() {
    let mut world = World::new(&[at(9)]);
    world.in_mesh = false;
    world.discovered(220);
    assert_eq!(world.first_dial(10_000), None);
    world.in_mesh = true;
    assert_eq!(world.dials().len(), 2);
}

#[test]
fn proven_too_early_means_dialing_again_at_once_even_for_the_larger() {
    let mut world = World::new(&[]);
    world.keeper.established(node(50), id(1), None, true, 0);
    world.keeper.closed(node(50), id(1), 0);
    world.keeper.again(node(50), Some(at(50)), 0);
    assert_eq!(world.dials(), [(1, Target::Node(node(50), vec![at(50)]))]);
}

#[test]
fn of_two_connections_one_is_closed() {
    let mut world = World::new(&[]);
    world.linked(150, 1);
    world.keeper.established(node(150), id(2), None, true, 0);
    world.keeper.ready(node(150), id(2), 7, 0);
    assert!(world.poll().is_empty());
    world.now_ms = 1_500;
    assert_eq!(world.poll(), [Action::Close(id(1))], "the one that the larger dialed");
}

#[test]
fn dials_are_bounded_and_everybody_gets_a_turn() {
    let mut world = World::new(&[]);
    for number in 101..200 {
        world.discovered(number);
    }
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        let dials = world.dials();
        assert!(dials.len() <= DIALS_MAX);
        for (dial, target) in dials {
            let Target::Node(node, _) = target else { panic!("a member") };
            seen.insert(node);
            world.keeper.failed(dial);
        }
        world.now_ms += 10;
    }
    assert_eq!(seen.len(), 99);
}

#[test]
fn it_never_dials_itself() {
    let mut world = World::new(&[]);
    world.discovered(100);
    world.keeper.heard_of(node(100), at(1), 0);
    assert!(world.first_dial(10_000).is_none());
}

#[test]
fn who_refuses_is_dialed_at_the_pace_of_failures() {
    let mut world = World::new(&[]);
    world.discovered(150);
    let mut dials = 0;
    while world.now_ms < 60_000 {
        if let Some((dial, _)) = world.first_dial(10) {
            dials += 1;
            world.keeper.established(node(150), id(dials), Some(dial), true, world.now_ms);
            world.keeper.closed(node(150), id(dials), world.now_ms);
        }
    }
    assert!(dials < 60_000 / 500, "{dials}");
}
