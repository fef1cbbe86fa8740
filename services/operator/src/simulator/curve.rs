//! Load curves.

use crate::scaling::Broker;

/// How events come, and what becomes of the broker meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Curve {
    /// What it shows, in words.
    pub title: &'static str,
    /// How long it is.
    pub seconds: u32,
    /// How many events come in a second.
    pub arriving: fn(u32) -> u64,
    /// What the broker does in a second.
    pub broker: fn(u32) -> Broker,
    /// How fast relays are.
    pub relay: Relay,
}

/// How fast relays are.
#[derive(Debug, Clone, Copy)]
pub struct Relay {
    /// How many events one publishes per second.
    pub each: u64,
    /// How many all of them do at most, however many there are: what the broker takes.
    pub all: u64,
}

impl Relay {
    pub(super) fn publishes(self, relays: u32) -> u64 {
        (self.each * u64::from(relays)).min(self.all)
    }
}

const RELAY: Relay = Relay {
    each: 1_000,
    all: u64::MAX,
};

/// What is played and drawn.
pub const CURVES: [Curve; 5] = [
    Curve {
        title: "A step: 500 events per second become 5,000, and stay",
        seconds: 900,
        arriving: |second| if second < 60 { 500 } else { 5_000 },
        broker: accepting,
        relay: RELAY,
    },
    Curve {
        title: "A spike: 8,000 events per second for half a minute",
        seconds: 900,
        arriving: |second| {
            if (60..90).contains(&second) {
                8_000
            } else {
                300
            }
        },
        broker: accepting,
        relay: RELAY,
    },
    Curve {
        title: "A ramp: up to 7,000 events per second, and down to none",
        seconds: 1_800,
        arriving: |second| match second {
            0..600 => u64::from(second) * 7_000 / 600,
            600..1_200 => u64::from(1_200 - second) * 7_000 / 600,
            _ => 0,
        },
        broker: accepting,
        relay: RELAY,
    },
    Curve {
        title: "An outage: 1,500 events per second, and no broker for two minutes",
        seconds: 900,
        arriving: |_| 1_500,
        broker: |second| {
            if (240..360).contains(&second) {
                Broker::Unreachable
            } else {
                Broker::Accepting
            }
        },
        relay: RELAY,
    },
    Curve {
        title: "A slow broker: 4,000 events per second for eight minutes, and it takes 2,500",
        seconds: 1_200,
        arriving: |second| if second < 480 { 4_000 } else { 500 },
        broker: accepting,
        relay: Relay {
            each: 1_000,
            all: 2_500,
        },
    },
];

fn accepting(_: u32) -> Broker {
    Broker::Accepting
}
