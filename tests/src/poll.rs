//! Waiting for a condition, with a deadline. Nothing here waits for time to pass for its own sake.

use std::time::{Duration, Instant};

/// Asks `condition` until it answers `Some`, and returns that. Panics with `what` when `within` has passed.
///
/// # Panics
/// When the deadline passes first.
pub async fn poll_until<T>(
    what: &str,
    within: Duration,
    condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    poll_for(within, condition)
        .await
        .unwrap_or_else(|| panic!("waited {within:?} in vain for: {what}"))
}

/// The same for who can say more about what is missing: none when `within` has passed.
pub async fn poll_for<T>(
    within: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(answer) = condition().await {
            return Some(answer);
        }
        if started.elapsed() >= within {
            return None;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
