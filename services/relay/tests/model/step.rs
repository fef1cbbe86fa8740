//! What can happen, one step at a time. Each step says which code it stands for.

use super::{
    Protection, Relays, broker, canonical, lanes,
    world::{Event, Flight, Hold, RELAYS, RelayIndex, World},
};

/// A place in the broker's list of connections.
type Slot = usize;

/// A place in a list of messages or answers.
type Place = usize;

/// One thing that happens. A relay that is frozen does none of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// `Relay::ready_publisher` makes a connection. One that holds no lanes publishes over it at once.
    Connect(RelayIndex),
    /// `Relay::lease_under`: once the old connection is gone, `lease::take_again` leases the lanes under the new one.
    TakeAgain(RelayIndex),
    /// `Relay::take_lanes`: `lease::claimable`, `Publisher::is_gone` for the fences, `lease::acquire`.
    Acquire(RelayIndex, usize),
    /// `lease::renew`; a lane that is not among the renewed is forgotten (`Cursors::keep_only`, `Line::owns`).
    Renew(RelayIndex, usize),
    /// `Line::send` writes an event to the connection, for the first time or again.
    Publish(RelayIndex, usize, Event),
    /// `Relay::write_back`: `lease::settle`; a lane that is not among the settled is forgotten.
    WriteBack(RelayIndex, usize),
    /// `Relay::give_up_surplus`: settled and released without a fence, while the connection lives on.
    GiveUp(RelayIndex, usize),
    /// `Relay::leave`: written back, the connection closed, the lanes released; under their fence if there is no
    /// connection to close, or the broker did not agree to its end.
    Leave(RelayIndex),
    /// The relay reads an answer of the broker (`Line::answered`).
    Answer(RelayIndex, Slot, Place),
    /// `Answer::TimedOut` or `Failed`: the relay closes its end and does not know what became of its messages. The broker
    /// may not have noticed, and may go on handling what is on the way.
    Lose(RelayIndex),
    /// `Relay::recover` from a failure of the database: it forgets its lanes and what is under way, and closes its
    /// connection. The broker may still handle what is on the way. A process that ends and starts anew does no worse.
    Forget(RelayIndex),
    /// SIGSTOP.
    Freeze(RelayIndex),
    /// SIGCONT. It goes on where it stood, and does not know what happened meanwhile.
    Thaw(RelayIndex),
    /// The broker stores a message in its queue and answers.
    Store(Slot, Place),
    /// The broker stores a message, and is going to store it once more.
    Duplicate(Slot, Place),
    /// The broker refuses a message (a nack, or a return).
    Refuse(Slot, Place),
    /// The broker finds a connection dead, by its heartbeat or its end, and ends it with everything on the way and with
    /// its fence.
    End(Slot),
    /// Nobody renewed the lane's lease in time.
    Expire(usize),
}

impl Step {
    /// Everything that can happen now.
    pub(crate) fn possible(model: &Relays, world: &World, steps: &mut Vec<Self>) {
        let all = (0..RELAYS).flat_map(|relay| Self::of_relay(model, world, relay));
        let all = all.chain(Self::of_broker(world));
        let all = all.chain((0..model.lanes).map(Self::Expire));
        steps.extend(all.filter(|step| step.is_possible(model, world)));
    }

    fn of_relay(model: &Relays, world: &World, relay: RelayIndex) -> Vec<Self> {
        if world.relays[relay].frozen {
            return vec![Self::Thaw(relay)];
        }
        let mut steps = vec![
            Self::Connect(relay),
            Self::TakeAgain(relay),
            Self::Leave(relay),
            Self::Lose(relay),
            Self::Forget(relay),
            Self::Freeze(relay),
        ];
        for lane in 0..model.lanes {
            steps.extend([
                Self::Acquire(relay, lane),
                Self::Renew(relay, lane),
                Self::WriteBack(relay, lane),
                Self::GiveUp(relay, lane),
            ]);
            steps.extend((0..model.events).map(|event| Self::Publish(relay, lane, event)));
        }
        for (slot, side) in world.connections.iter().enumerate() {
            if world.relays[relay].connection == Some(side.name) {
                let answers = 0..side.answers.len();
                steps.extend(answers.map(|place| Self::Answer(relay, slot, place)));
            }
        }
        steps
    }

    fn of_broker(world: &World) -> Vec<Self> {
        let mut steps = Vec::new();
        for (slot, side) in world.connections.iter().enumerate() {
            steps.push(Self::End(slot));
            for (place, message) in side.on_the_way.iter().enumerate() {
                // An event's repeats go to one queue, in their order.
                let before = side.on_the_way[..place].iter();
                let mut before = before.map(|other| (other.lane, other.event));
                if !before.any(|other| other == (message.lane, message.event)) {
                    steps.extend([
                        Self::Store(slot, place),
                        Self::Duplicate(slot, place),
                        Self::Refuse(slot, place),
                    ]);
                }
            }
        }
        steps
    }

    fn is_possible(self, model: &Relays, world: &World) -> bool {
        let costs = usize::from(self.is_fault(world));
        if usize::from(world.faults) + costs > model.faults {
            return false;
        }
        let holds = |relay: RelayIndex| world.relays[relay].holds.iter().flatten();
        let hold = |relay: RelayIndex, lane: usize| world.relays[relay].holds[lane].as_ref();
        match self {
            Self::Connect(relay) => world.relays[relay].connection.is_none(),
            Self::TakeAgain(relay) => lanes::may_take_again(model, world, relay),
            Self::Acquire(relay, lane) => lanes::may_acquire(model, world, relay, lane),
            Self::Renew(relay, lane) | Self::WriteBack(relay, lane) => hold(relay, lane).is_some(),
            Self::Publish(relay, lane, event) => {
                let state = &world.relays[relay];
                let ready = state.connection.is_some() && state.fence == state.connection;
                ready && hold(relay, lane).is_some_and(|hold| may_publish(model, hold, event))
            }
            Self::GiveUp(relay, lane) => hold(relay, lane)
                .is_some_and(|hold| hold.is_at_rest() || !model.has(Protection::GiveUpAtRest)),
            Self::Leave(relay) | Self::Forget(relay) => holds(relay).count() > 0,
            Self::Lose(relay) => world.relays[relay].connection.is_some(),
            Self::End(slot) => broker::is_dead(world, slot),
            Self::Expire(lane) => world.lanes[lane].lease_holds,
            Self::Freeze(_)
            | Self::Thaw(_)
            | Self::Answer(..)
            | Self::Store(..)
            | Self::Duplicate(..)
            | Self::Refuse(..) => true,
        }
    }

    /// Whether it is one of the things of which only so many happen in one run: what goes wrong, and what would else be
    /// done over and over.
    fn is_fault(self, world: &World) -> bool {
        match self {
            Self::GiveUp(..)
            | Self::Leave(_)
            | Self::Forget(_)
            | Self::Freeze(_)
            | Self::Duplicate(..)
            | Self::Refuse(..)
            | Self::Expire(_) => true,
            // That a connection is dead is only noticed.
            Self::Lose(relay) => {
                let connection = world.relays[relay].connection;
                connection.is_some_and(|name| world.lives(name))
            }
            _ => false,
        }
    }

    /// Lets it happen.
    pub(crate) fn take(self, model: &Relays, world: &mut World) {
        world.faults += u8::from(self.is_fault(world));
        match self {
            Self::Connect(relay) => broker::connect(world, relay),
            Self::TakeAgain(relay) => lanes::take_again(model, world, relay),
            Self::Acquire(relay, lane) => lanes::acquire(world, relay, lane),
            Self::Renew(relay, lane) => lanes::renew(model, world, relay, lane),
            Self::Publish(relay, lane, event) => broker::publish(world, relay, lane, event),
            Self::WriteBack(relay, lane) => lanes::write_back(model, world, relay, lane),
            Self::GiveUp(relay, lane) => {
                lanes::write_back(model, world, relay, lane);
                lanes::release(model, world, relay, lane, None);
            }
            Self::Leave(relay) => lanes::leave(model, world, relay),
            Self::Answer(relay, slot, place) => broker::answer(world, relay, slot, place),
            Self::Lose(relay) => broker::lose(world, relay),
            Self::Forget(relay) => {
                world.relays[relay].holds.fill(None);
                if model.has(Protection::CloseOnForget) {
                    broker::lose(world, relay);
                }
            }
            Self::Freeze(relay) => world.relays[relay].frozen = true,
            Self::Thaw(relay) => world.relays[relay].frozen = false,
            Self::Store(slot, place) => broker::store(model, world, slot, place),
            Self::Duplicate(slot, place) => broker::duplicate(model, world, slot, place),
            Self::Refuse(slot, place) => broker::refuse(world, slot, place),
            Self::End(slot) => {
                world.connections.remove(slot);
            }
            Self::Expire(lane) => world.lanes[lane].lease_holds = false,
        }
        canonical::rewrite(world);
    }
}

/// The window is open; only a key's own earlier events hold an event back (`Planner`).
fn may_publish(model: &Relays, hold: &Hold, event: Event) -> bool {
    let goes = matches!(hold.events[event], Flight::Waiting | Flight::Again);
    let mut earlier = (0..event).filter(|earlier| model.same_key(*earlier, event));
    let is_free = |earlier: Event| {
        let flight = hold.events[earlier];
        flight == Flight::Confirmed
            || flight != Flight::Waiting && !model.has(Protection::OneUnconfirmedPerKey)
    };
    goes && earlier.all(is_free)
}
