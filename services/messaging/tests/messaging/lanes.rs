//! Lanes among relays that take, renew, lose and give up in any order: the database does exactly what a model does in memory.

use std::collections::BTreeMap;

use messaging::{
    lane::LANES,
    lease::{self, Lease},
    outbox::{Position, Settled},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sqlx::PgConnection;
use tests::Login;

use crate::support::database;

const RELAYS: usize = 3;

/// What a relay does, or what happens to it.
#[derive(Debug, Clone)]
enum Step {
    /// It takes up to so many free lanes; the connections of these relays are gone from the broker.
    Acquire(usize, i64, [bool; RELAYS]),
    Renew(usize),
    /// It has a new connection and leases its lanes again.
    TakeAgain(usize),
    Settle(usize),
    /// It gives its first lanes up; whether everything it wrote is confirmed.
    Release(usize, usize, bool),
    /// Its leases end.
    Expire(usize),
    /// It forgets which lanes it holds.
    Forget(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let relay = || 0..RELAYS;
    prop_oneof![
        3 => (relay(), 1_i64..40, any::<[bool; RELAYS]>()).prop_map(|(r, most, gone)| Step::Acquire(r, most, gone)),
        1 => relay().prop_map(Step::Renew),
        1 => relay().prop_map(Step::TakeAgain),
        1 => relay().prop_map(Step::Settle),
        2 => (relay(), 1_usize..40, any::<bool>()).prop_map(|(r, lanes, at_rest)| Step::Release(r, lanes, at_rest)),
        2 => relay().prop_map(Step::Expire),
        1 => relay().prop_map(Step::Forget),
    ]
}

/// A lane as it should be in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Lane {
    epoch: i64,
    owner: Option<String>,
    fence: Option<String>,
    expired: bool,
}

#[derive(Debug)]
struct World {
    lanes: Vec<Lane>,
    /// What each relay believes to hold.
    held: [Vec<Lease>; RELAYS],
    /// What each relay has ever held: a write-back may be as late as it likes.
    ever: [Vec<Lease>; RELAYS],
    /// How many connections each relay has had.
    connections: [usize; RELAYS],
}

fn name(relay: usize) -> String {
    format!("relay {relay}")
}

impl World {
    fn fence(&self, relay: usize) -> String {
        format!("fence {relay}.{}", self.connections[relay])
    }

    fn lane(&mut self, lane: i16) -> &mut Lane {
        &mut self.lanes[usize::try_from(lane).unwrap()]
    }

    /// Whether a lease is still what the database says.
    fn is_current(&self, relay: usize, lease: &Lease) -> bool {
        let lane = &self.lanes[usize::try_from(lease.lane).unwrap()];
        lane.owner == Some(name(relay)) && lane.epoch == lease.epoch
    }

    fn current(&self, relay: usize, of: &[Lease]) -> Vec<Lease> {
        let held = of.iter();
        held.filter(|lease| self.is_current(relay, lease))
            .copied()
            .collect()
    }

    fn acquire(&mut self, relay: usize, at_most: i64, gone: &[String]) -> Vec<Lease> {
        let (me, fence) = (name(relay), self.fence(relay));
        let held: Vec<i16> = self.held[relay].iter().map(|lease| lease.lane).collect();
        let mut acquired = Vec::new();
        for (number, lane) in (0_i16..).zip(&mut self.lanes) {
            let free = lane.owner.is_none() || lane.expired || lane.owner.as_ref() == Some(&me);
            let free = free && !held.contains(&number);
            let fenced = lane
                .fence
                .as_ref()
                .is_some_and(|old| *old != fence && !gone.contains(old));
            if free && !fenced && i64::try_from(acquired.len()).unwrap() < at_most {
                *lane = Lane {
                    epoch: lane.epoch + 1,
                    owner: Some(me.clone()),
                    fence: Some(fence.clone()),
                    expired: false,
                };
                acquired.push(Lease {
                    lane: number,
                    epoch: lane.epoch,
                });
            }
        }
        acquired
    }

    async fn step(&mut self, step: &Step, db: &mut PgConnection) {
        match step {
            Step::Acquire(relay, at_most, are_gone) => {
                let gone: Vec<String> = (0..RELAYS)
                    .filter(|other| are_gone[*other])
                    .flat_map(|other| {
                        (0..=self.connections[other]).map(move |n| format!("fence {other}.{n}"))
                    })
                    .collect();
                let held: Vec<i16> = self.held[*relay].iter().map(|lease| lease.lane).collect();
                let fence = self.fence(*relay);
                let got = lease::acquire(db, &name(*relay), &fence, &gone, &held, *at_most).await;
                let got = sorted(got.unwrap().iter().map(|lane| lane.lease).collect());
                assert_eq!(got, self.acquire(*relay, *at_most, &gone));
                self.ever[*relay].extend(&got);
                self.held[*relay].extend(got);
            }
            Step::Renew(relay) => {
                let renewed = lease::renew(db, &name(*relay), &self.held[*relay]).await;
                self.holds(*relay, renewed.unwrap());
                for lease in self.held[*relay].clone() {
                    self.lane(lease.lane).expired = false;
                }
            }
            Step::TakeAgain(relay) => {
                self.connections[*relay] += 1;
                let fence = self.fence(*relay);
                let held = self.held[*relay].clone();
                let again = lease::take_again(db, &name(*relay), &held, &fence).await;
                let expected = self.current(*relay, &held);
                for lease in &expected {
                    let lane = self.lane(lease.lane);
                    lane.epoch += 1;
                    lane.fence = Some(fence.clone());
                    lane.expired = false;
                }
                let expected = expected.into_iter().map(|lease| Lease {
                    epoch: lease.epoch + 1,
                    ..lease
                });
                let again = sorted(again.unwrap());
                assert_eq!(again, sorted(expected.collect()));
                self.ever[*relay].extend(&again);
                self.held[*relay] = again;
            }
            Step::Settle(relay) => {
                let to = Settled::from(Position::beginning());
                let stale = self.ever[*relay].iter();
                let stale: Vec<Lease> = stale
                    .filter(|lease| !self.is_current(*relay, lease))
                    .copied()
                    .collect();
                let late = lease::settle(db, &name(*relay), &stale, &to).await;
                assert_eq!(late.unwrap(), [], "of an older epoch");
                let settled = lease::settle(db, &name(*relay), &self.held[*relay], &to).await;
                self.holds(*relay, settled.unwrap());
            }
            Step::Release(relay, lanes, at_rest) => {
                let lanes = (*lanes).min(self.held[*relay].len());
                let given: Vec<Lease> = self.held[*relay].drain(..lanes).collect();
                let fence = self.fence(*relay);
                let fence = (!at_rest).then_some(fence.as_str());
                lease::release(db, &name(*relay), &given, fence)
                    .await
                    .unwrap();
                for lease in given {
                    if self.is_current(*relay, &lease) {
                        let lane = self.lane(lease.lane);
                        lane.owner = None;
                        lane.expired = false;
                        lane.fence = fence.map(str::to_owned);
                    }
                }
            }
            Step::Expire(relay) => {
                sqlx::query("update messaging.lane set lease_until = now() - interval '1 hour' where owner = $1")
                    .bind(name(*relay))
                    .execute(db)
                    .await
                    .unwrap();
                let lanes = self.lanes.iter_mut();
                for lane in lanes.filter(|lane| lane.owner == Some(name(*relay))) {
                    lane.expired = true;
                }
            }
            Step::Forget(relay) => self.held[*relay].clear(),
        }
    }

    /// What the database says a relay still holds is what it should.
    fn holds(&mut self, relay: usize, held: Vec<Lease>) {
        let held = sorted(held);
        assert_eq!(held, sorted(self.current(relay, &self.held[relay])));
        self.held[relay] = held;
    }

    /// The database's lanes are the model's, and nobody but its owner holds a lane's present epoch.
    async fn check(&self, db: &mut PgConnection) {
        let rows: Vec<(i64, Option<String>, Option<String>, bool)> = sqlx::query_as(
            "select epoch, owner, fence, coalesce(lease_until < now(), false) from messaging.lane order by lane",
        )
        .fetch_all(db)
        .await
        .unwrap();
        let lanes: Vec<Lane> = rows
            .into_iter()
            .map(|(epoch, owner, fence, expired)| Lane {
                epoch,
                owner,
                fence,
                expired,
            })
            .collect();
        assert_eq!(lanes, self.lanes);
        let mut holders: BTreeMap<i16, usize> = BTreeMap::new();
        for relay in 0..RELAYS {
            for lease in self.current(relay, &self.held[relay]) {
                assert_eq!(
                    holders.insert(lease.lane, relay),
                    None,
                    "two hold lane {}",
                    lease.lane
                );
            }
        }
    }
}

fn sorted(mut leases: Vec<Lease>) -> Vec<Lease> {
    leases.sort_unstable_by_key(|lease| lease.lane);
    leases
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_change_hands_as_in_the_model_whatever_the_order() {
    let db = database().await;
    let admin = db.admin_pool();
    let runtime = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config::with_cases(40));
    let steps = prop::collection::vec(step(), 1..25);
    let run = |steps: Vec<Step>| {
        runtime.block_on(async {
            sqlx::query("update messaging.lane set epoch = 0, owner = null, fence = null, lease_until = null")
                .execute(&admin)
                .await
                .unwrap();
            let mut relay = db.pool(Login::Relay).acquire().await.unwrap();
            let mut world = World {
                lanes: vec![Lane::default(); usize::from(LANES)],
                held: Default::default(),
                ever: Default::default(),
                connections: [0; RELAYS],
            };
            for step in &steps {
                world.step(step, &mut relay).await;
                world.check(&mut relay).await;
            }
        });
        Ok(())
    };
    tokio::task::block_in_place(|| runner.run(&steps, run)).unwrap();
}
