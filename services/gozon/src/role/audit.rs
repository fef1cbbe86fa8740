//! `gozon audit`: holds both databases to the promises P1 to P5, also while the shop is at work.
//!
//! Orders and payments are streamed side by side in the order of their ids; ledger, keys and outboxes are checked by
//! set-based SQL. What looks wrong is looked at again a moment later, under new snapshots, before it is called wrong:
//! what is on its way may be seen by one side and not yet by the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use messaging::{
    audit::{Arrival, Finding, arrivals, last_sent, waiting},
    topology::{ORDER_PAYMENTS, PAYMENT_ORDERS},
};
use order::status::Status;
use sqlx::PgConnection;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::config::{AuditArgs, AuditConfig, Environment};

mod check;
mod hang;
mod judge;
mod look;
mod report;
mod table;

use check::Check;
use hang::{Hang, Leg, Trace};
use judge::{Pair, judge};
use look::{Databases, Look};
use report::{Example, Findings, Report, Tally, Verdict};

/// How long a whole audit may take.
const AUDIT_TIME_MAX: Duration = Duration::from_hours(1);

/// How long after the end of the first look the second begins: time for what was under way to arrive.
const SECOND_LOOK_AFTER: Duration = Duration::from_secs(1);

/// The most orders that are looked at a second time, which is done one by one.
const SUSPECTS_MAX: usize = 10_000;

/// The status of a process that found a promise broken, and of one that could not find out.
const BROKEN: u8 = 1;
const UNKNOWN: u8 = 2;

/// Audits, writes the report to standard output and says how the process should exit.
pub(crate) async fn run(args: &AuditArgs, environment: &Environment) -> ExitCode {
    match report(args, environment).await {
        Ok(report) => ExitCode::from(match report.verdict {
            Verdict::Holds => 0,
            Verdict::Broken => BROKEN,
            Verdict::Unknown => UNKNOWN,
        }),
        Err(error) => {
            let reason = chassis::chain(&*error).to_string();
            if args.json {
                let report = serde_json::json!({ "verdict": Verdict::Unknown, "error": reason });
                println!("{report}");
            }
            eprintln!("gozon: {reason}");
            ExitCode::from(UNKNOWN)
        }
    }
}

async fn report(args: &AuditArgs, environment: &Environment) -> anyhow::Result<Report> {
    let config = AuditConfig::read(args, environment)?;
    let report = timeout(AUDIT_TIME_MAX, audit(&config))
        .await
        .with_context(|| format!("the audit took longer than {AUDIT_TIME_MAX:?}"))?
        .context("the audit did not come to its end")?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", table::render(&report));
    }
    Ok(report)
}

/// What a first look leaves to be looked at again.
#[derive(Debug, Default)]
struct Suspects {
    orders: BTreeSet<Uuid>,
    checks: Vec<Check>,
    /// Faults of orders beyond the limit.
    beyond: BTreeMap<Check, u64>,
}

async fn audit(config: &AuditConfig) -> anyhow::Result<Report> {
    let begun = Instant::now();
    let mut databases = Databases::connect(config).await?;
    let mut look = databases.look(config.stuck_after).await?;
    let taken_at = look.patience.now;
    let (seen, suspects) = first_look(&mut look).await?;
    look.end().await?;
    let (mut found, mut stuck_at) = (BTreeMap::new(), BTreeMap::new());
    if !suspects.orders.is_empty() || !suspects.checks.is_empty() {
        sleep(SECOND_LOOK_AFTER).await;
        let mut look = databases.look(config.stuck_after).await?;
        (found, stuck_at) = second_look(&mut look, &suspects, config.examples).await?;
        look.end().await?;
    }
    for (check, faults) in suspects.beyond {
        found.entry(check).or_default().unconfirmed += faults;
    }
    let (verdict, promises) = report::promises(found);
    Ok(Report {
        verdict,
        taken_at,
        took_ms: begun.elapsed().as_millis(),
        stuck_after_seconds: config.stuck_after.as_secs(),
        seen,
        stuck_at,
        promises,
    })
}

/// Goes through everything once.
async fn first_look(look: &mut Look<'_>) -> anyhow::Result<(Tally, Suspects)> {
    let (mut seen, mut suspects) = (Tally::default(), Suspects::default());
    let patience = look.patience;
    look.walk(|pair| {
        seen.count(pair, patience);
        let faults = judge(pair, patience);
        if faults.is_empty() {
            return;
        }
        if suspects.orders.len() < SUSPECTS_MAX {
            suspects.orders.insert(pair.id);
        } else {
            for fault in faults {
                *suspects.beyond.entry(fault.check).or_default() += 1;
            }
        }
    })
    .await?;
    for check in Check::ALL {
        let found = look.find(check, 1).await?;
        if found.is_some_and(|found| !found.is_empty()) {
            suspects.checks.push(check);
        }
    }
    let totals = payment::audit::totals(&mut look.payments).await?;
    (seen.accounts, seen.ledger_entries) = (totals.accounts, totals.entries);
    for connection in [&mut *look.orders, &mut *look.payments] {
        let waiting = waiting(connection).await?;
        seen.events_unpublished += waiting.unpublished;
        seen.events_parked += waiting.parked;
    }
    Ok((seen, suspects))
}

/// Looks at the suspects again: what is still wrong is wrong.
async fn second_look(
    look: &mut Look<'_>,
    suspects: &Suspects,
    examples: u16,
) -> anyhow::Result<(BTreeMap<Check, Findings>, BTreeMap<&'static str, u64>)> {
    let mut found: BTreeMap<Check, Findings> = BTreeMap::new();
    let mut stuck: Vec<(Uuid, Leg, String)> = Vec::new();
    for id in &suspects.orders {
        let Some(pair) = look.pair(*id).await? else {
            continue;
        };
        for fault in judge(&pair, look.patience) {
            if fault.check == Check::OrderStuck {
                stuck.push((*id, awaited(&pair), fault.detail));
            } else {
                let findings = found.entry(fault.check).or_default();
                findings.add(examples, format!("order {id}"), fault.detail);
            }
        }
    }
    let mut stuck_at = BTreeMap::new();
    if !stuck.is_empty() {
        let findings = found.entry(Check::OrderStuck).or_default();
        for ((id, _, detail), (hang, class)) in stuck.iter().zip(hangs(look, &stuck).await?) {
            *stuck_at.entry(hang.name()).or_default() += 1;
            let class = class.map_or_else(String::new, |class| format!(" ({class})"));
            findings.add(
                examples,
                format!("order {id}"),
                format!("{detail}; {hang}{class}"),
            );
        }
    }
    for check in &suspects.checks {
        // One at least, because the first row also says how many there are.
        let rows = look.find(*check, i64::from(examples.max(1))).await?;
        let rows = rows.unwrap_or_default();
        if let Some(first) = rows.first() {
            let findings = found.entry(*check).or_default();
            findings.violations += u64::try_from(first.total).unwrap_or_default();
            findings.show(examples, rows);
        }
    }
    Ok((found, stuck_at))
}

/// Where each of these orders hangs, and why if a letter says so.
async fn hangs(
    look: &mut Look<'_>,
    stuck: &[(Uuid, Leg, String)],
) -> anyhow::Result<Vec<(Hang, Option<String>)>> {
    let mut traces = BTreeMap::new();
    for leg in Leg::ALL {
        let matching = stuck.iter().filter(|(_, of, _)| *of == leg);
        let orders: Vec<_> = matching.map(|(id, _, _)| *id).collect();
        if orders.is_empty() {
            continue;
        }
        let databases = (&mut *look.orders, &mut *look.payments);
        let (sender, receiver, consumer) = match (leg.leaves_orders(), databases) {
            (true, (orders, payments)) => (orders, payments, PAYMENT_ORDERS.name),
            (false, (orders, payments)) => (payments, orders, ORDER_PAYMENTS.name),
        };
        traces.extend(self::traces(sender, receiver, leg.types(), consumer, &orders).await?);
    }
    let hangs = stuck.iter().map(|(id, leg, _)| {
        let trace = traces.remove(id).unwrap_or_default();
        let class = match &trace.arrival {
            Some(Arrival::Deferred(class) | Arrival::Dead(class)) => Some(class.clone()),
            Some(Arrival::Settled) => None,
            None => trace.sent.as_ref().and_then(|sent| sent.parked.clone()),
        };
        (Hang::guess(*leg, &trace), class)
    });
    Ok(hangs.collect())
}

/// Which message an order waits for.
fn awaited(pair: &Pair) -> Leg {
    let order = pair.order.as_ref().and_then(|side| side.order.as_ref());
    let payment = pair.payment.as_ref();
    let is_refunding = order.is_some_and(|order| order.status == Status::Refunding);
    let decided = payment.is_some_and(|side| side.decision.is_some());
    let refunded = payment.is_some_and(|side| side.refund.is_some());
    match (is_refunding, decided, refunded) {
        (false, false, _) => Leg::Request,
        (false, true, _) => Leg::Answer,
        (true, _, false) => Leg::RefundRequest,
        (true, _, true) => Leg::RefundAnswer,
    }
}

/// What the last message of these types about each order left on both sides.
async fn traces(
    sender: &mut PgConnection,
    receiver: &mut PgConnection,
    types: &[&str],
    consumer: &str,
    orders: &[Uuid],
) -> Result<BTreeMap<Uuid, Trace>, sqlx::Error> {
    let sent = last_sent(sender, types, orders).await?;
    let events: Vec<_> = sent.iter().map(|sent| sent.event_id).collect();
    let mut arrived: BTreeMap<_, _> = arrivals(receiver, consumer, &events)
        .await?
        .into_iter()
        .collect();
    let traces = sent.into_iter().map(|sent| {
        let key = sent.key;
        let trace = Trace {
            arrival: arrived.remove(&sent.event_id),
            sent: Some(sent),
        };
        (key, trace)
    });
    Ok(traces.collect())
}

impl Findings {
    /// A violation more, shown if there is room.
    fn add(&mut self, examples: u16, subject: String, detail: String) {
        self.violations += 1;
        if self.examples.len() < usize::from(examples) {
            self.examples.push(Example { subject, detail });
        }
    }

    /// Shows these as far as there is room.
    fn show(&mut self, examples: u16, rows: Vec<Finding>) {
        let room = usize::from(examples).saturating_sub(self.examples.len());
        let shown = rows.into_iter().take(room).map(|row| Example {
            subject: row.subject,
            detail: row.detail,
        });
        self.examples.extend(shown);
    }
}
