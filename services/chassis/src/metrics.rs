//! The registry of metrics that a process fills at its start and shows at `/metrics`.

mod pools;
mod process;
mod runtime;

pub use self::pools::PoolMetrics;
pub use prometheus_client::registry::Registry;
use prometheus_client::{encoding::text::encode, metrics::info::Info};
use tokio::runtime::Handle;

use self::{process::ProcessCollector, runtime::RuntimeCollector};

/// The content type of [`text`].
pub const CONTENT_TYPE_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A registry that already says which build of the program this is, and how the process and this runtime do.
#[must_use]
pub fn registry(version: &'static str) -> Registry {
    let mut registry = Registry::default();
    registry.register(
        "gozon_build",
        "Which build of gozon this process runs",
        Info::new(vec![("version", version)]),
    );
    registry.register_collector(Box::new(ProcessCollector));
    registry.register_collector(Box::new(RuntimeCollector(Handle::current())));
    registry
}

/// All metrics as `OpenMetrics` text.
pub fn text(registry: &Registry) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    encode(&mut text, registry)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_build_is_among_the_metrics() {
        let text = text(&registry("1.2.3")).unwrap();
        assert!(
            text.contains("gozon_build_info{version=\"1.2.3\"} 1"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"));
    }
}
