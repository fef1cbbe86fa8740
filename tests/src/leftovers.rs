//! Names of throwaway databases and vhosts: they carry the second of their birth, so that what a killed run left
//! behind is recognised and removed by a later one.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// No test lives longer than this, so what is older belongs to nobody.
const ABANDONED_AFTER: Duration = Duration::from_mins(40);

/// A name nobody else has: `test_<purpose>_<second>_<process>_<counter>`.
pub(crate) fn unique_name(purpose: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
    let second = now().as_secs();
    format!("test_{purpose}_{second}_{}_{counter}", std::process::id())
}

/// True for a name made by [`unique_name`] so long ago that its run must be over.
pub(crate) fn is_abandoned(name: &str) -> bool {
    let mut parts = name.split('_');
    if parts.next() != Some("test") {
        return false;
    }
    parts
        .nth(1)
        .and_then(|second| second.parse().ok())
        .is_some_and(|second| now().saturating_sub(Duration::from_secs(second)) > ABANDONED_AFTER)
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_names_of_ours_are_abandoned() {
        assert!(is_abandoned("test_orders_1700000000_17_0"));
        assert!(!is_abandoned(&unique_name("orders")));
        for foreign in [
            "orders",
            "postgres",
            "test",
            "test_orders",
            "test_orders_soon_1_2",
        ] {
            assert!(!is_abandoned(foreign), "{foreign}");
        }
    }
}
