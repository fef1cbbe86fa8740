//! Customers who visit a shop for a while, whatever happens to it meanwhile, and what they saw.

mod party;
mod person;

pub use party::Party;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::measure::{Latencies, Quantiles};

/// So many of what went wrong are kept in words.
const ERRORS_KEPT: usize = 10;

/// What a visit came to, or has come to so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Visit {
    /// Requests for an order.
    pub asked: u64,
    /// Of these, how many were not answered by an order: by an error, by a refusal or not at all.
    pub failed: u64,
    /// Orders accepted.
    pub placed: u64,
    /// Orders seen to end.
    pub ended: u64,
    /// Sockets opened again after they had ended.
    pub reopened: u64,
    /// Of these, how many went on from where they had been.
    pub resumed: u64,
    /// How often a socket could not be opened at once.
    pub not_opened: u64,
    /// The first of what failed, in words.
    pub first_errors: Vec<String>,
    /// From the request that an order was accepted by to when its end was shown.
    pub to_end: Quantiles,
    /// From when an order took a status, by its service's clock, to when that was shown, by ours.
    pub to_be_seen: Quantiles,
    /// What does not add up at the end.
    pub flaws: Vec<String>,
}

impl Visit {
    /// The share of requests for an order that failed.
    #[must_use]
    pub fn failed_share(&self) -> f64 {
        crate::measure::share(self.failed, self.asked)
    }
}

/// Counts what customers see.
#[derive(Debug, Default)]
pub struct Counters {
    asked: AtomicU64,
    failed: AtomicU64,
    placed: AtomicU64,
    ended: AtomicU64,
    reopened: AtomicU64,
    resumed: AtomicU64,
    not_opened: AtomicU64,
    first_errors: Mutex<Vec<String>>,
    to_end: Mutex<Latencies>,
    to_be_seen: Mutex<Latencies>,
}

impl Counters {
    /// An order was asked for.
    pub fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// And was not given.
    pub fn failed(&self, error: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.keep(error);
    }

    /// And was accepted.
    pub fn placed(&self) {
        self.placed.fetch_add(1, Ordering::Relaxed);
    }

    /// One more order was seen to end, so long after the request that it was accepted by.
    pub fn ended(&self, after: Duration) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        let mut to_end = self.to_end.lock().unwrap_or_else(PoisonError::into_inner);
        to_end.add(after);
    }

    /// A change was shown, so long after it was made.
    pub fn seen(&self, after: Duration) {
        let to_be_seen = self.to_be_seen.lock();
        to_be_seen
            .unwrap_or_else(PoisonError::into_inner)
            .add(after);
    }

    /// A socket was opened again; `resumed` says whether it went on from its cursor.
    pub fn reopened(&self, resumed: bool) {
        self.reopened.fetch_add(1, Ordering::Relaxed);
        self.resumed
            .fetch_add(u64::from(resumed), Ordering::Relaxed);
    }

    /// A socket could not be opened.
    pub fn not_opened(&self, error: &str) {
        self.not_opened.fetch_add(1, Ordering::Relaxed);
        self.keep(error);
    }

    /// What there is so far, with these flaws.
    #[must_use]
    pub fn so_far(&self, flaws: Vec<String>) -> Visit {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let first_errors = self.first_errors.lock();
        let quantiles = |latencies: &Mutex<Latencies>| {
            let latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
            latencies.clone().quantiles()
        };
        Visit {
            asked: read(&self.asked),
            failed: read(&self.failed),
            placed: read(&self.placed),
            ended: read(&self.ended),
            reopened: read(&self.reopened),
            resumed: read(&self.resumed),
            not_opened: read(&self.not_opened),
            first_errors: first_errors.unwrap_or_else(PoisonError::into_inner).clone(),
            to_end: quantiles(&self.to_end),
            to_be_seen: quantiles(&self.to_be_seen),
            flaws,
        }
    }

    fn keep(&self, error: &str) {
        let mut kept = self
            .first_errors
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if kept.len() < ERRORS_KEPT {
            kept.push(error.to_owned());
        }
    }
}
