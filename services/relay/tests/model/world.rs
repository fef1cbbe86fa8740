//! The state of the model: a database's lanes, a broker's connections and queues, and what each relay believes.

use super::Relays;

/// The number of relays.
pub(crate) const RELAYS: usize = 2;

/// A relay, by its index.
pub(crate) type RelayIndex = usize;

/// An event of a lane, by its place in the outbox, from 0.
pub(crate) type Event = usize;

/// A connection to the broker; its fence goes by the same number.
pub(crate) type Connection = u8;

/// Everything there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct World {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) relays: Vec<Relay>,
    /// The connections the broker knows, in the order in which they were made.
    pub(crate) connections: Vec<BrokerSide>,
    pub(crate) faults: u8,
}

/// A row of `messaging.lane`, and what reached the queues from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Lane {
    pub(crate) owner: Option<RelayIndex>,
    pub(crate) epoch: u8,
    /// Whether `lease_until` lies ahead.
    pub(crate) lease_holds: bool,
    pub(crate) fence: Option<Connection>,
    /// So many events, from the first, are settled.
    pub(crate) settled: usize,
    /// Nothing in the database: how often the lane has come under another connection.
    pub(crate) tenure: u8,
    pub(crate) queues: Queues,
}

/// What the broker has stored of a lane, as far as the promises speak about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Queues {
    /// For each event, whether it is in its queue.
    pub(crate) has: Vec<bool>,
    /// For each relay, whether anything in there is from it.
    pub(crate) heard: [bool; RELAYS],
    /// The newest tenure of which something is in there.
    pub(crate) newest: u8,
    /// Some event came before an earlier one of its key.
    pub(crate) swapped: bool,
    /// Something of an older tenure came behind something of a newer one.
    pub(crate) late: bool,
    /// The lane's position has stepped back.
    pub(crate) stepped_back: bool,
}

/// A relay and what it believes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Relay {
    pub(crate) frozen: bool,
    /// Its newest connection.
    pub(crate) connection: Option<Connection>,
    /// The connection its lanes are leased under (`Relay::fence`). It publishes when that is the newest.
    pub(crate) fence: Option<Connection>,
    /// For each lane, what it holds if it believes that it owns it.
    pub(crate) holds: Vec<Option<Hold>>,
}

/// A lane as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Hold {
    pub(crate) epoch: u8,
    pub(crate) tenure: u8,
    /// What has become of each event.
    pub(crate) events: Vec<Flight>,
}

/// An event on its way, as its owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Flight {
    /// Not published by this owner yet.
    Waiting,
    /// Published, and without an answer.
    UnderWay,
    /// Refused, or published over a connection that is lost: it goes again (`Line::again`).
    Again,
    /// Stored, as the broker says, or settled by an owner before.
    Confirmed,
}

/// A connection as the broker sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BrokerSide {
    pub(crate) name: Connection,
    pub(crate) relay: RelayIndex,
    /// Written by the relay and not handled by the broker: in buffers and on the wire. Repeats of an event are in the
    /// order in which they were written; between events there is none.
    pub(crate) on_the_way: Vec<Message>,
    /// Answers that the relay has not seen, in no order. False is a refusal: a nack, or a return.
    pub(crate) answers: Vec<(Message, bool)>,
}

/// One event, published by an owner under an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Message {
    pub(crate) lane: usize,
    pub(crate) event: Event,
    pub(crate) epoch: u8,
    pub(crate) tenure: u8,
}

impl World {
    pub(crate) fn new(model: &Relays) -> Self {
        let relay = Relay {
            frozen: false,
            connection: None,
            fence: None,
            holds: vec![None; model.lanes],
        };
        let queues = Queues {
            has: vec![false; model.events],
            heard: [false; RELAYS],
            newest: 0,
            swapped: false,
            late: false,
            stepped_back: false,
        };
        let lane = Lane {
            owner: None,
            epoch: 0,
            lease_holds: false,
            fence: None,
            settled: 0,
            tenure: 0,
            queues,
        };
        Self {
            lanes: vec![lane; model.lanes],
            relays: vec![relay; RELAYS],
            connections: Vec::new(),
            faults: 0,
        }
    }

    /// Whether the broker knows a connection: what a passive declaration of its fence tells.
    pub(crate) fn lives(&self, name: Connection) -> bool {
        self.connections.iter().any(|side| side.name == name)
    }

    pub(crate) fn side(&mut self, name: Connection) -> Option<&mut BrokerSide> {
        self.connections.iter_mut().find(|side| side.name == name)
    }
}

impl Lane {
    /// Whoever takes the lane over begins behind `settled`: what is not stored until then is lost.
    pub(crate) fn settled_is_stored(&self) -> bool {
        self.queues.has[..self.settled].iter().all(|has| *has)
    }
}

impl Queues {
    /// The broker stores a message of a relay.
    pub(crate) fn store(&mut self, model: &Relays, message: Message, relay: RelayIndex) {
        let mut earlier = (0..message.event).filter(|event| model.same_key(*event, message.event));
        self.swapped |= !self.has[message.event] && earlier.any(|event| !self.has[event]);
        self.late |= message.tenure < self.newest;
        self.newest = self.newest.max(message.tenure);
        self.has[message.event] = true;
        self.heard[relay] = true;
    }
}

impl Hold {
    /// Nothing of it is unconfirmed (`Cursor::is_at_rest`).
    pub(crate) fn is_at_rest(&self) -> bool {
        let mut flights = self.events.iter();
        flights.all(|flight| matches!(flight, Flight::Waiting | Flight::Confirmed))
    }

    /// How many events, from the first, are all in this state or another of these.
    pub(crate) fn prefix(&self, counts: impl Fn(Flight) -> bool) -> usize {
        self.events
            .iter()
            .take_while(|flight| counts(**flight))
            .count()
    }
}
