//! What relays do to the rows of `messaging.lane`.

use super::{
    Protection, Relays,
    world::{Connection, Flight, Hold, RelayIndex, World},
};

pub(crate) fn may_take_again(model: &Relays, world: &World, relay: RelayIndex) -> bool {
    let state = &world.relays[relay];
    let old_is_gone = state.fence.is_none_or(|old| !world.lives(old));
    let holds_nothing = state.holds.iter().all(Option::is_none);
    state.connection.is_some()
        && state.fence != state.connection
        && (old_is_gone || holds_nothing || !model.has(Protection::FenceOnReconnect))
}

pub(crate) fn take_again(model: &Relays, world: &mut World, relay: RelayIndex) {
    let new = world.relays[relay].connection;
    world.relays[relay].fence = new;
    for lane in 0..model.lanes {
        let counts = counts(model, world, relay, lane);
        let Some(hold) = world.relays[relay].holds[lane].as_mut().filter(|_| counts) else {
            world.relays[relay].holds[lane] = None;
            continue;
        };
        let row = &mut world.lanes[lane];
        (row.fence, row.lease_holds) = (new, true);
        row.epoch += 1;
        row.tenure += 1;
        (hold.epoch, hold.tenure) = (row.epoch, row.tenure);
    }
}

pub(crate) fn may_acquire(model: &Relays, world: &World, relay: RelayIndex, lane: usize) -> bool {
    let (row, state) = (&world.lanes[lane], &world.relays[relay]);
    // Its own, of which it has forgotten how far it was, it need not wait for.
    let free = row.owner.is_none() || !row.lease_holds || row.owner == Some(relay);
    let fence_open = row
        .fence
        .is_none_or(|fence| state.fence == Some(fence) || !world.lives(fence));
    state.connection.is_some()
        && state.fence == state.connection
        && state.holds[lane].is_none()
        && free
        && (fence_open || !model.has(Protection::FenceOnTakeOver))
}

pub(crate) fn acquire(world: &mut World, relay: RelayIndex, lane: usize) {
    let fence = world.relays[relay].fence;
    let row = &mut world.lanes[lane];
    // What it published before over the same connection precedes what it will.
    row.tenure += u8::from(row.fence != fence || row.owner != Some(relay));
    row.epoch += 1;
    (row.owner, row.fence, row.lease_holds) = (Some(relay), fence, true);
    let mut events = vec![Flight::Waiting; row.queues.has.len()];
    events[..row.settled].fill(Flight::Confirmed);
    world.relays[relay].holds[lane] = Some(Hold {
        epoch: row.epoch,
        tenure: row.tenure,
        events,
    });
}

pub(crate) fn renew(model: &Relays, world: &mut World, relay: RelayIndex, lane: usize) {
    if counts(model, world, relay, lane) {
        world.lanes[lane].lease_holds = true;
    } else {
        world.relays[relay].holds[lane] = None;
    }
}

pub(crate) fn write_back(model: &Relays, world: &mut World, relay: RelayIndex, lane: usize) {
    let counts = counts(model, world, relay, lane);
    let hold = &mut world.relays[relay].holds[lane];
    let Some(owned) = hold.as_ref().filter(|_| counts) else {
        *hold = None;
        return;
    };
    let settled = if !model.has(Protection::SettleConfirmedOnly) {
        owned.prefix(|flight| flight != Flight::Waiting)
    } else if !model.has(Protection::SettlePrefixOnly) {
        let last = |flight: &Flight| *flight == Flight::Confirmed;
        owned.events.iter().rposition(last).map_or(0, |at| at + 1)
    } else {
        owned.prefix(|flight| flight == Flight::Confirmed)
    };
    let row = &mut world.lanes[lane];
    row.queues.stepped_back |= settled < row.settled;
    row.settled = settled;
}

pub(crate) fn release(
    model: &Relays,
    world: &mut World,
    relay: RelayIndex,
    lane: usize,
    fence: Option<Connection>,
) {
    if world.relays[relay].holds[lane].is_some() && counts(model, world, relay, lane) {
        let row = &mut world.lanes[lane];
        (row.owner, row.lease_holds, row.fence) = (None, false, fence);
    }
    world.relays[relay].holds[lane] = None;
}

pub(crate) fn leave(model: &Relays, world: &mut World, relay: RelayIndex) {
    for lane in 0..model.lanes {
        write_back(model, world, relay, lane);
    }
    // Closing is agreed when the connection is still the relay's: what the broker has not handled by then it never will,
    // and the fence is gone. A lost one may live at the broker, and one that was not yet used is not what stands in the rows.
    let closed = world.relays[relay].connection.take();
    world.connections.retain(|side| Some(side.name) != closed);
    let fence = world.relays[relay].fence.take();
    let fence =
        fence.filter(|fence| Some(*fence) != closed && model.has(Protection::FenceOnRelease));
    for lane in 0..model.lanes {
        release(model, world, relay, lane, fence);
    }
}

/// Whether what the relay writes about a lane counts: the guard of every update of `messaging.lane`.
fn counts(model: &Relays, world: &World, relay: RelayIndex, lane: usize) -> bool {
    let row = &world.lanes[lane];
    let hold = world.relays[relay].holds[lane].as_ref();
    !model.has(Protection::EpochGuard)
        || hold.is_some_and(|hold| row.owner == Some(relay) && row.epoch == hold.epoch)
}
