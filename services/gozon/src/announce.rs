//! Tells the person at the terminal where the process is and when it is ready.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chassis::{Readiness, readiness::Report};
use tokio::time::Instant;
use tracing::warn;

/// How often readiness is asked until it says yes for the first time.
const STEP: Duration = Duration::from_millis(100);

/// How often to say what is still missing.
const REMINDER: Duration = Duration::from_secs(10);

/// Where a process listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) public: Option<SocketAddr>,
    pub(crate) admin: SocketAddr,
}

/// Waits until the process is ready, says so on standard output, and meanwhile logs what it waits for.
pub(crate) async fn when_ready(
    role: &'static str,
    readiness: &Arc<Readiness>,
    addresses: Addresses,
) {
    let mut remind_at = Instant::now() + REMINDER;
    loop {
        let report = readiness.report().await;
        if report.ready {
            break;
        }
        if Instant::now() >= remind_at {
            warn!("not ready yet: {}", missing(&report));
            remind_at += REMINDER;
        }
        tokio::time::sleep(STEP).await;
    }
    println!("{}", ready_line(role, addresses));
}

/// What is not ready, and why.
fn missing(report: &Report) -> String {
    let failed = report.checks.iter().filter(|check| !check.ready);
    let lines: Vec<_> = failed
        .map(|check| {
            format!(
                "{} ({})",
                check.name,
                check.detail.as_deref().unwrap_or("-")
            )
        })
        .collect();
    lines.join(", ")
}

fn ready_line(role: &str, addresses: Addresses) -> String {
    let public = addresses
        .public
        .map_or_else(String::new, |address| format!("{} ", url(address)));
    let admin = url(addresses.admin);
    format!("gozon {role} is ready: {public}(admin {admin})")
}

/// The address as a person on this machine can open it.
fn url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_has_addresses_that_can_be_opened() {
        let mut addresses = Addresses {
            public: Some(([0, 0, 0, 0], 8080).into()),
            admin: ([127, 0, 0, 1], 8081).into(),
        };
        assert_eq!(
            ready_line("all", addresses),
            "gozon all is ready: http://localhost:8080 (admin http://127.0.0.1:8081)"
        );
        addresses.public = None;
        assert_eq!(
            ready_line("relay", addresses),
            "gozon relay is ready: (admin http://127.0.0.1:8081)"
        );
    }
}
