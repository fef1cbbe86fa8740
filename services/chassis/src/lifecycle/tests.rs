//! The stop, with a clock that the tests move.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::*;

const GRACE: Duration = Duration::from_secs(20);

type Log = Arc<Mutex<Vec<&'static str>>>;

/// A task that notes when its stage stops.
fn spawn_noting(lifecycle: &Lifecycle, stage: Stage, name: &'static str, log: &Log) {
    let (token, log) = (lifecycle.token(stage), Arc::clone(log));
    lifecycle.spawn(stage, name, async move {
        token.cancelled().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        log.lock().unwrap().push(name);
        Ok(())
    });
}

/// The given number of signals, each after a second, and no more.
fn signals(count: u32) -> impl AsyncFnMut() {
    let mut left = count;
    async move || {
        if left == 0 {
            std::future::pending::<()>().await;
        }
        left -= 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn stages_stop_one_after_another() {
    let lifecycle = Lifecycle::new(GRACE);
    let log = Log::default();
    spawn_noting(&lifecycle, Stage::Admin, "admin", &log);
    spawn_noting(&lifecycle, Stage::Relay, "relay", &log);
    spawn_noting(&lifecycle, Stage::Serve, "listener", &log);
    spawn_noting(&lifecycle, Stage::Consume, "consumer", &log);
    lifecycle.run(signals(1)).await.unwrap();
    assert_eq!(
        *log.lock().unwrap(),
        ["listener", "consumer", "relay", "admin"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_by_itself_stops_the_process() {
    let lifecycle = Lifecycle::new(GRACE);
    let log = Log::default();
    spawn_noting(&lifecycle, Stage::Serve, "listener", &log);
    lifecycle.spawn(Stage::Relay, "relay", async { Ok(()) });
    let error = lifecycle.run(signals(0)).await.unwrap_err();
    assert!(matches!(error, LifecycleError::Ended("relay")), "{error}");
    assert_eq!(*log.lock().unwrap(), ["listener"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_stops_the_process() {
    let lifecycle = Lifecycle::new(GRACE);
    lifecycle.spawn(Stage::Relay, "relay", async { panic!("on purpose") });
    let error = lifecycle.run(signals(0)).await.unwrap_err();
    assert!(
        matches!(error, LifecycleError::Failed("relay", _)),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_grace_period_bounds_the_stop_and_names_what_hangs() {
    let lifecycle = Lifecycle::new(GRACE);
    lifecycle.spawn(Stage::Consume, "consumer", std::future::pending());
    let begun = tokio::time::Instant::now();
    let error = lifecycle.run(signals(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "not stopped within the grace period: consumer"
    );
    assert_eq!(begun.elapsed(), GRACE + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_ends_it_at_once() {
    let lifecycle = Lifecycle::new(GRACE);
    lifecycle.spawn(Stage::Consume, "consumer", std::future::pending());
    let error = lifecycle.run(signals(2)).await.unwrap_err();
    assert!(matches!(error, LifecycleError::Hurried(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_stopping_is_reported() {
    let lifecycle = Lifecycle::new(GRACE);
    let token = lifecycle.token(Stage::Close);
    lifecycle.spawn(Stage::Close, "pool", async move {
        token.cancelled().await;
        Err("it would not close".into())
    });
    let error = lifecycle.run(signals(1)).await.unwrap_err();
    assert!(
        matches!(error, LifecycleError::Failed("pool", _)),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn tracked_work_is_waited_for_with_its_stage() {
    let lifecycle = Lifecycle::new(GRACE);
    let (stopping, log) = (lifecycle.stopping(), Log::default());
    let socket_log = Arc::clone(&log);
    lifecycle.tracker(Stage::Serve).spawn(async move {
        stopping.cancelled().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        socket_log.lock().unwrap().push("socket");
    });
    spawn_noting(&lifecycle, Stage::Consume, "consumer", &log);
    lifecycle.run(signals(1)).await.unwrap();
    assert_eq!(*log.lock().unwrap(), ["socket", "consumer"]);
}
