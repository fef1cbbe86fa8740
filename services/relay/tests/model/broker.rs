//! What passes between relays and the broker.

use super::{
    Relays,
    world::{BrokerSide, Event, Flight, Message, RelayIndex, World},
};

pub(crate) fn connect(world: &mut World, relay: RelayIndex) {
    let name = u8::try_from(world.connections.len()).unwrap();
    world.connections.push(BrokerSide {
        name,
        relay,
        on_the_way: Vec::new(),
        answers: Vec::new(),
    });
    let state = &mut world.relays[relay];
    state.connection = Some(name);
    if state.holds.iter().all(Option::is_none) {
        state.fence = Some(name);
    }
}

pub(crate) fn publish(world: &mut World, relay: RelayIndex, lane: usize, event: Event) {
    let state = &mut world.relays[relay];
    let (Some(name), Some(hold)) = (state.connection, &mut state.holds[lane]) else {
        return;
    };
    hold.events[event] = Flight::UnderWay;
    let message = Message {
        lane,
        event,
        epoch: hold.epoch,
        tenure: hold.tenure,
    };
    // Over a connection that the broker has forgotten nothing arrives; the relay has yet to learn that it is dead.
    if let Some(side) = world.side(name) {
        side.on_the_way.push(message);
        side.on_the_way
            .sort_by_key(|message| (message.lane, message.event));
    }
}

pub(crate) fn lose(world: &mut World, relay: RelayIndex) {
    let state = &mut world.relays[relay];
    state.connection = None;
    let flights = state
        .holds
        .iter_mut()
        .flatten()
        .flat_map(|hold| &mut hold.events);
    for flight in flights.filter(|flight| **flight == Flight::UnderWay) {
        *flight = Flight::Again;
    }
}

/// The relay reads an answer.
pub(crate) fn answer(world: &mut World, relay: RelayIndex, slot: usize, place: usize) {
    let (message, stored) = world.connections[slot].answers.remove(place);
    if let Some(hold) = &mut world.relays[relay].holds[message.lane] {
        let flight = &mut hold.events[message.event];
        *flight = match (stored, *flight) {
            (true, _) => Flight::Confirmed,
            (false, Flight::UnderWay) => Flight::Again,
            (false, other) => other,
        };
    }
}

pub(crate) fn store(model: &Relays, world: &mut World, slot: usize, place: usize) {
    duplicate(model, world, slot, place);
    let side = &mut world.connections[slot];
    let message = side.on_the_way.remove(place);
    side.answers.push((message, true));
}

pub(crate) fn duplicate(model: &Relays, world: &mut World, slot: usize, place: usize) {
    let side = &world.connections[slot];
    let (message, relay) = (side.on_the_way[place], side.relay);
    let queues = &mut world.lanes[message.lane].queues;
    queues.store(model, message, relay);
}

pub(crate) fn refuse(world: &mut World, slot: usize, place: usize) {
    let side = &mut world.connections[slot];
    let message = side.on_the_way.remove(place);
    side.answers.push((message, false));
}

/// Whether the other end is gone, or does not answer because its process is frozen.
pub(crate) fn is_dead(world: &World, slot: usize) -> bool {
    let side = &world.connections[slot];
    let relay = &world.relays[side.relay];
    relay.frozen || relay.connection != Some(side.name)
}
