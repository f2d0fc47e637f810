//! How a process dies: at a moment of the script, at a commit, or for ever.

use super::{Happening, Stop, World};
use crate::network::End;
use crate::record::Life;
use crate::scenario::{Place, Side, Span};

/// After which time a process that has stopped is started again by whatever looks after it.
pub(super) const WATCHED: Span = Span::ms(1_000, 5_000);

impl World<'_> {
    /// Kills a process. A commit on its way down is kept or gone, by chance.
    pub(super) fn crash(&mut self, place: Place, what: &str) -> Result<(), Stop> {
        let kept = self.rng.chance(0.5);
        let machine = &mut self.machines[place];
        if !machine.is_alive() {
            return Ok(());
        }
        let flushing = machine.flushing.take();
        let down = machine.down.take();
        let name = self.name(place);
        self.trace.note(self.now, || format!("{name} dies: {what}"));
        match flushing {
            Some(flushing) if kept => self.post(place, &flushing.commits)?,
            Some(flushing) => self.machines[place].disk.take_back(&flushing.commits),
            None => {}
        }
        self.die(place, down);
        self.make_backups(place)
    }

    /// The disk is full: the process stops, and whoever looks after it tries again and again.
    pub(super) fn stop_for_want_of_room(&mut self, place: Place) -> Result<(), Stop> {
        self.machines[place].down = Some(WATCHED);
        self.crash(place, "its disk is full")
    }

    /// A process is gone: its memory, its links, and whoever waits for it.
    pub(super) fn die(&mut self, place: Place, down: Option<Span>) {
        let machine = &mut self.machines[place];
        machine.engine = None;
        machine.nap = None;
        machine.life += 1;
        machine.inbox.clear();
        machine.flushing = None;
        machine.turn_planned = false;
        machine.due = false;
        machine.wake_at = None;
        self.tally.crashes += 1;
        self.trace.record(|record| record.node(self.now, place, Life::Down));
        self.checkers.stopped(place);
        self.exchanges.retain(|(from, _, _), _| *from != place);
        self.asks.retain(|(at, _), _| *at != place);
        for link in self.network.of(place) {
            *self.network.link(link).end(place) = End::Down;
            let peer = self.network.link(link).other(place);
            self.trace.record(|record| record.link(self.now, place, peer, false));
            self.disconnected(link, place);
        }
        let down = down.or_else(|| self.attrition_of(place).map(|attrition| attrition.down));
        let down = if self.draining { Some(Span::ms(100, 2_000)) } else { down };
        if let Some(down) = down {
            let ms = self.draw(down);
            self.after(ms, Happening::Restart(place));
        }
    }

    /// Orders a fault at a node's commit to come.
    pub(super) fn order_fault(&mut self, place: Place, nth: u64, side: Side, down: Option<Span>) {
        let side = self.draw_side(side);
        let machine = &mut self.machines[place];
        machine.disk.order(nth, side);
        machine.down = down;
    }

    fn draw_side(&mut self, side: Side) -> Side {
        let sides = [Side::Before, Side::After, Side::Amid];
        let drawn = self.rng.pick(&sides).copied();
        if side == Side::Any { drawn.unwrap_or(side) } else { side }
    }

    /// Where attrition rules, the next commit may be the last of this process.
    pub(super) fn tempt_fate(&mut self, place: Place) {
        let Some(attrition) = self.attrition_of(place) else { return };
        if !self.machines[place].disk.has_orders() && self.rng.chance(attrition.chance) {
            self.order_fault(place, 1, attrition.side, Some(attrition.down));
        }
    }

    /// A node is gone for ever.
    pub(super) fn lose(&mut self, place: Place) -> Result<(), Stop> {
        self.crash(place, "it is lost for ever")?;
        self.machines[place].lost = true;
        self.trace.record(|record| record.node(self.now, place, Life::Lost));
        self.ledger.lose(place);
        Ok(())
    }
}
