use super::*;

fn node(n: u8) -> NodeId {
    NodeId::from_bytes([n; 32])
}

fn state(n: u8, count: u64, neighbours: &[u8]) -> Attested<LinkState> {
    Attested::own(LinkState {
        node: node(n),
        version: Version { opening: Epoch { k: 1, nonce: 0 }, count },
        neighbours: neighbours.iter().map(|&n| node(n)).collect(),
        extensions: BTreeMap::new(),
    })
}

fn of(nodes: &[u8]) -> BTreeSet<NodeId> {
    nodes.iter().map(|&n| node(n)).collect()
}

/// Node 1 with links to 2 and 3.
fn start() -> Topology {
    let mut topology = Topology::new(node(1), Epoch { k: 1, nonce: 0 });
    assert_eq!(up(&mut topology, 2), of(&[2]));
    assert_eq!(up(&mut topology, 3), of(&[3]));
    topology
}

fn up(topology: &mut Topology, peer: u8) -> BTreeSet<NodeId> {
    topology.link_up(node(peer));
    topology.route().into_keys().collect()
}

fn down(topology: &mut Topology, peer: u8) -> BTreeSet<NodeId> {
    topology.link_down(node(peer));
    topology.route().into_keys().collect()
}

fn learn(topology: &mut Topology, state: Attested<LinkState>) -> Option<BTreeSet<NodeId>> {
    topology.learn(state).then(|| topology.route().into_keys().collect())
}

#[test]
fn a_neighbour_leads_to_itself_before_it_says_anything() {
    let topology = start();
    assert_eq!(topology.next_hop(node(2)), Some(node(2)));
    assert_eq!(topology.next_hop(node(4)), None);
    assert_eq!(topology.next_hop(node(1)), None);
}

#[test]
fn a_link_counts_only_if_both_ends_state_it() {
    let mut topology = start();
    assert_eq!(learn(&mut topology, state(2, 1, &[1, 4])), Some(of(&[])));
    assert_eq!(topology.next_hop(node(4)), None);
    assert_eq!(learn(&mut topology, state(4, 1, &[2])), Some(of(&[4])));
    assert_eq!(topology.next_hop(node(4)), Some(node(2)));
    assert_eq!(learn(&mut topology, state(4, 2, &[])), Some(of(&[4])));
    assert_eq!(topology.next_hop(node(4)), None);
}

#[test]
fn the_shortest_way_wins_and_ties_go_to_the_smaller_node() {
    let mut topology = start();
    learn(&mut topology, state(2, 1, &[1, 4]));
    learn(&mut topology, state(3, 1, &[1, 4, 5]));
    learn(&mut topology, state(4, 1, &[2, 3, 5]));
    learn(&mut topology, state(5, 1, &[3, 4]));
    assert_eq!(topology.next_hop(node(4)), Some(node(2)));
    assert_eq!(topology.next_hop(node(5)), Some(node(3)));
    assert_eq!(down(&mut topology, 2), of(&[2, 4]));
    assert_eq!(topology.next_hop(node(4)), Some(node(3)));
    assert_eq!(up(&mut topology, 2), of(&[2, 4]));
    assert_eq!(topology.next_hop(node(4)), Some(node(2)));
}

#[test]
fn only_newer_states_are_taken_and_never_ones_about_this_node() {
    let mut topology = start();
    assert!(learn(&mut topology, state(2, 2, &[1])).is_some());
    assert_eq!(learn(&mut topology, state(2, 2, &[1, 4])), None);
    assert_eq!(learn(&mut topology, state(2, 1, &[1, 4])), None);
    assert_eq!(learn(&mut topology, state(1, 99, &[])), None);
    let mut reopened = state(2, 1, &[1, 4]);
    reopened.statement.version.opening.k = 2;
    assert!(learn(&mut topology, reopened).is_some(), "a later opening counts from the start");
}

#[test]
fn a_component_that_is_gone_leads_nowhere_and_comes_back_at_once() {
    let mut topology = start();
    learn(&mut topology, state(2, 7, &[1, 4]));
    learn(&mut topology, state(4, 7, &[2]));
    assert_eq!(down(&mut topology, 2), of(&[2, 4]));
    assert_eq!(topology.hops().collect::<Vec<_>>(), [(node(3), node(3))]);
    assert_eq!(up(&mut topology, 2), of(&[2, 4]), "it does not say its state again");
    assert_eq!(topology.next_hop(node(4)), Some(node(2)));
}

#[test]
fn states_out_of_reach_go_when_their_room_is_needed() {
    let mut topology = start();
    learn(&mut topology, state(2, 1, &[1]));
    for n in 0..LINK_STATES_MAX {
        let mut stranger = state(9, 1, &[]);
        let mut bytes = [9; 32];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        stranger.statement.node = NodeId::from_bytes(bytes);
        assert!(learn(&mut topology, stranger).is_some());
        assert!(topology.states.len() <= LINK_STATES_MAX);
    }
    assert!(topology.state(node(1)).is_some() && topology.state(node(2)).is_some());
}

#[test]
fn own_states_grow_and_list_the_neighbours_in_order() {
    let mut topology = start();
    let said = topology.state(node(1)).expect("its own").statement.clone();
    assert_eq!((said.version.count, said.neighbours), (2, vec![node(2), node(3)]));
    down(&mut topology, 2);
    let said = topology.state(node(1)).expect("its own").statement.clone();
    assert_eq!((said.version.count, said.neighbours), (3, vec![node(3)]));
}

#[test]
fn a_state_with_too_many_neighbours_is_refused() {
    let mut topology = start();
    let mut long = state(2, 1, &[]);
    long.statement.neighbours = vec![node(9); NEIGHBOURS_MAX + 1];
    assert_eq!(learn(&mut topology, long), None);
}

#[test]
fn a_search_tells_what_changed_and_how_it_was() {
    let mut topology = start();
    topology.learn(state(2, 1, &[1, 4]));
    let opened = topology.learned();
    assert_eq!(topology.route(), BTreeMap::new(), "4 has not stated the link");
    topology.learn(state(4, 1, &[2, 5, 3]));
    topology.learn(state(5, 1, &[4]));
    assert_eq!(topology.route(), [(node(4), None), (node(5), None)].into());
    assert!(topology.was_learned_by(node(2), opened));
    assert!(!topology.was_learned_by(node(4), opened));
    assert_eq!(topology.component(), of(&[1, 2, 4, 5]));
    topology.learn(state(2, 2, &[1]));
    topology.learn(state(3, 1, &[1, 4]));
    let by_2 = Some(node(2));
    assert_eq!(topology.route(), [(node(4), by_2), (node(5), by_2)].into());
    assert_eq!(topology.next_hop(node(5)), Some(node(3)));
    topology.learn(state(3, 2, &[1]));
    assert_eq!(topology.route().len(), 2);
    assert_eq!(topology.component(), of(&[1, 2, 3]), "those out of reach are not told");
    assert_eq!(topology.route(), BTreeMap::new(), "nothing changed since");
}

#[test]
fn a_link_that_is_stated_twice_goes_with_its_statement() {
    let mut topology = start();
    learn(&mut topology, state(2, 1, &[4, 1, 4]));
    assert_eq!(learn(&mut topology, state(4, 1, &[2, 2])), Some(of(&[4])));
    assert_eq!(learn(&mut topology, state(4, 2, &[])), Some(of(&[4])));
    assert_eq!(topology.next_hop(node(4)), None);
}
