//! Async work inside `drop`: a thread with a runtime of its own, because the test's runtime may be ending.

use std::time::Duration;

/// Cleaning up may take this long; then it is left to the next run.
const AT_MOST: Duration = Duration::from_secs(20);

/// Runs `work` to its end on a thread of its own and waits for it. A failure is printed, not raised: the test's own
/// verdict matters more than what it leaves behind.
pub(crate) fn finish<F>(what: &str, work: F)
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async { tokio::time::timeout(AT_MOST, work).await? })
    });
    match thread.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("{what}: {error:#}"),
        Err(_) => eprintln!("{what}: the cleaning thread panicked"),
    }
}
