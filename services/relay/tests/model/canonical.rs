//! One form for all worlds that differ in nothing that can ever matter, so that the checker sees each of them once.

use super::world::{Connection, World};

/// A number for what a relay takes for its connection while the broker knows it no more.
const DEAD: Connection = 100;

pub(crate) fn rewrite(world: &mut World) {
    rename_connections(world);
    drop_unheard_answers(world);
    for lane in 0..world.lanes.len() {
        renumber_epochs(world, lane);
        renumber_tenures(world, lane);
    }
    swap_relays(world);
}

/// Nobody knows the two relays apart.
fn swap_relays(world: &mut World) {
    let mut swapped = world.clone();
    swapped.relays.reverse();
    for lane in &mut swapped.lanes {
        lane.owner = lane.owner.map(|relay| 1 - relay);
        lane.queues.heard.reverse();
    }
    for side in &mut swapped.connections {
        side.relay = 1 - side.relay;
    }
    rename_connections(&mut swapped);
    if swapped < *world {
        *world = swapped;
    }
}

/// Those the broker knows are numbered by their places; of the others only matters that they are gone.
fn rename_connections(world: &mut World) {
    let names: Vec<Connection> = world.connections.iter().map(|side| side.name).collect();
    let place = |name: Connection| {
        let place = names.iter().position(|known| *known == name)?;
        Connection::try_from(place).ok()
    };
    for row in &mut world.lanes {
        row.fence = row.fence.and_then(place);
    }
    for (relay, number) in world.relays.iter_mut().zip(DEAD..) {
        let own = relay.connection;
        relay.fence = match relay.fence {
            Some(fence) if own == Some(fence) => place(fence).or(Some(number)),
            fence => fence.and_then(place),
        };
        relay.connection = own.map(|name| place(name).unwrap_or(number));
    }
    for (side, place) in world.connections.iter_mut().zip(0..) {
        side.name = place;
    }
}

/// Nobody hears answers over a connection that its relay has given up, or to what it published under an earlier epoch.
fn drop_unheard_answers(world: &mut World) {
    for side in &mut world.connections {
        let relay = &world.relays[side.relay];
        let hears = relay.connection == Some(side.name);
        side.answers.retain(|(message, _)| {
            let hold = relay.holds[message.lane].as_ref();
            hears && hold.is_some_and(|hold| hold.epoch == message.epoch)
        });
        side.answers.sort_unstable();
    }
}

/// Of epochs only matters which are the same, and that later ones are others.
fn renumber_epochs(world: &mut World, lane: usize) {
    let mut epochs = vec![&mut world.lanes[lane].epoch];
    let holds = world.relays.iter_mut();
    let holds = holds.filter_map(|relay| relay.holds[lane].as_mut());
    epochs.extend(holds.map(|hold| &mut hold.epoch));
    for side in &mut world.connections {
        let answered = side.answers.iter_mut().map(|(message, _)| message);
        let messages = side.on_the_way.iter_mut().chain(answered);
        let messages = messages.filter(|message| message.lane == lane);
        epochs.extend(messages.map(|message| &mut message.epoch));
    }
    renumber(&mut epochs);
}

/// Of tenures only matters which come before which.
fn renumber_tenures(world: &mut World, lane: usize) {
    let row = &mut world.lanes[lane];
    let mut tenures = vec![&mut row.tenure, &mut row.queues.newest];
    let holds = world.relays.iter_mut();
    let holds = holds.filter_map(|relay| relay.holds[lane].as_mut());
    tenures.extend(holds.map(|hold| &mut hold.tenure));
    for side in &mut world.connections {
        let answered = side.answers.iter_mut().map(|(message, _)| message);
        let messages = side.on_the_way.iter_mut().chain(answered);
        let messages = messages.filter(|message| message.lane == lane);
        tenures.extend(messages.map(|message| &mut message.tenure));
    }
    renumber(&mut tenures);
}

fn renumber(numbers: &mut [&mut u8]) {
    let mut present: Vec<u8> = numbers.iter().map(|number| **number).collect();
    present.sort_unstable();
    present.dedup();
    for number in numbers {
        let rank = present.iter().position(|known| *known == **number);
        **number = u8::try_from(rank.unwrap()).unwrap();
    }
}
