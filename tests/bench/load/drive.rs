//! The run: who orders when, from the warm-up to the last push.

use std::{sync::Arc, time::Duration};

use ::tests::measure::{LoadReport, Phase, per_second};
use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    meter::{Costs, Meter},
    orders::{Attempt, Follow, Orders},
    recorder::{END_WITHIN, Record},
};

/// A slot of the closed loop waits this long after an error, so that a shop that is gone is not hammered.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// How often a watch looks whether all is done.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Orders under way in the open loop; more would only measure how a queue grows.
const UNDER_WAY_MAX: usize = 50_000;

/// Which customers order, and until when.
#[derive(Debug, Clone)]
struct Demand {
    orders: Arc<Orders>,
    /// The first so many of the crowd.
    customers: usize,
    follow: Follow,
    over: CancellationToken,
}

/// Runs the load, measures after the warm-up, waits for the last pushes, and reports.
pub(crate) async fn run(orders: &Arc<Orders>, phase: &Phase) -> anyhow::Result<LoadReport> {
    let meter = Meter::new(&phase.servers);
    orders.recorder.begin();
    if let Some(wanted) = phase.watch {
        return watch(orders, &meter, phase, wanted).await;
    }
    let demand = Demand {
        orders: Arc::clone(orders),
        customers: if phase.hot { 1 } else { orders.crowd.len() },
        follow: if phase.unfollowed {
            Follow::ToTheAnswer
        } else {
            Follow::ToTheEnd
        },
        over: CancellationToken::new(),
    };
    let tasks = TaskTracker::new();
    if let Some(rate) = phase.rate {
        tasks.spawn(demand.clone().open_loop(rate, tasks.clone()));
    } else {
        for _ in 0..phase.in_flight {
            tasks.spawn(demand.clone().closed_loop());
        }
    }
    show_progress(orders, phase.warm_up(), "warm-up").await;
    let from = Instant::now();
    let before = meter.read()?;
    orders.recorder.measure(from, from + phase.measured());
    show_progress(orders, phase.measured(), "measured").await;
    let used = meter.read()?.since(&before);
    let time = from.elapsed();
    demand.over.cancel();
    tasks.close();
    // Whoever is not done by then has lost an order, and the record shows it.
    let _ = timeout(END_WITHIN, tasks.wait()).await;
    // What became idle now may be too old for the shop when the next phase begins.
    orders.pool.close_idle();
    let record = orders.recorder.so_far();
    let costs = meter.costs(&used, record.measured(), time);
    report(record, costs)
}

/// Counts ends of orders that were placed before, until there are enough.
async fn watch(
    orders: &Arc<Orders>,
    meter: &Meter,
    phase: &Phase,
    wanted: u64,
) -> anyhow::Result<LoadReport> {
    let from = Instant::now();
    let before = meter.read()?;
    orders.recorder.measure(from, from + phase.measured());
    orders.recorder.watch();
    while orders.recorder.measured() < wanted && from.elapsed() < phase.measured() {
        show_progress(orders, LOOK_EVERY, "watched").await;
    }
    let used = meter.read()?.since(&before);
    let to = Instant::now();
    let mut record = orders.recorder.so_far();
    record.interval = Some((from, to));
    record.begun = wanted.max(record.begun);
    let costs = meter.costs(&used, record.measured(), to - from);
    report(record, costs)
}

impl Demand {
    fn anybody(&self) -> usize {
        fastrand::usize(..self.customers)
    }

    /// One of the orders in flight: placed, followed to its end, and again.
    async fn closed_loop(self) {
        while !self.over.is_cancelled() {
            let due = Instant::now();
            let attempt = self.orders.one(self.anybody(), due, self.follow).await;
            let pause = match attempt {
                Attempt::Ended => continue,
                Attempt::Refused(pause) => pause,
                Attempt::Failed => AFTER_ERROR,
            };
            let _ = timeout(pause, self.over.cancelled()).await;
        }
    }

    /// Orders due at fixed instants, whatever becomes of those before.
    async fn open_loop(self, rate: u32, tasks: TaskTracker) {
        let start = Instant::now();
        for number in 0.. {
            let due = start + due_after(number, rate);
            // The timer is coarser than the gaps: what is due already needs no waiting.
            if due > Instant::now() {
                sleep_until(due).await;
            }
            if self.over.is_cancelled() {
                return;
            }
            if tasks.len() > UNDER_WAY_MAX {
                let orders = &self.orders;
                orders.recorder.began();
                orders
                    .recorder
                    .failed("the shop does not keep up with this rate");
                continue;
            }
            let demand = self.clone();
            tasks.spawn(async move {
                let customer = demand.anybody();
                demand.orders.one(customer, due, demand.follow).await
            });
        }
    }
}

/// When an order is due, counted from the first. Computed from the number, so that no rounding adds up.
fn due_after(number: u64, rate: u32) -> Duration {
    let rate = u64::from(rate);
    let seconds = Duration::from_secs(number / rate);
    seconds + Duration::from_nanos((number % rate) * 1_000_000_000 / rate)
}

/// Lets this much time pass and says every second how it goes.
async fn show_progress(orders: &Orders, time: Duration, phase: &str) {
    let end = Instant::now() + time;
    let mut before = orders.recorder.count();
    while Instant::now() < end {
        let left = end - Instant::now();
        let began = Instant::now();
        sleep(left.min(Duration::from_secs(1))).await;
        let now = orders.recorder.count();
        let rate = per_second(now - before, began.elapsed());
        eprintln!("{phase}: {rate:.0} orders/s");
        before = now;
    }
}

fn report(record: Record, costs: Costs) -> anyhow::Result<LoadReport> {
    let ended = record.measured();
    let (from, to) = record.interval.context("nothing was measured")?;
    ensure!(
        ended > 0,
        "not one order ended while it was measured; the first errors: {:?}",
        record.first_errors
    );
    let lost = record.lost();
    let mut each_second = record.each_second;
    each_second.resize(usize::try_from((to - from).as_secs())?, 0);
    Ok(LoadReport {
        seconds: (to - from).as_secs_f64(),
        orders: ended,
        orders_per_second: per_second(ended, to - from),
        orders_each_second: each_second,
        finished: record.finished,
        cancelled: record.cancelled,
        lost,
        refused: record.refused,
        errors: record.failed + record.sockets_ended,
        to_push: record.to_push.quantiles(),
        to_answer: record.to_answer.quantiles(),
        first_errors: record.first_errors,
        generator_cpu_us_per_order: costs.generator,
        server_cpu_us_per_order: costs.servers,
        elsewhere_cpus: costs.elsewhere,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_is_even_and_does_not_drift() {
        assert_eq!(due_after(0, 3_000), Duration::ZERO);
        assert_eq!(due_after(3, 3_000), Duration::from_millis(1));
        assert_eq!(due_after(3_000 * 60, 3_000), Duration::from_mins(1));
        assert_eq!(due_after(7, 1), Duration::from_secs(7));
        let gaps: Vec<u128> = (1..7_000)
            .map(|number| {
                due_after(number, 7_000).as_nanos() - due_after(number - 1, 7_000).as_nanos()
            })
            .collect();
        assert!(gaps.iter().all(|gap| (142_857..=142_858).contains(gap)));
    }
}
