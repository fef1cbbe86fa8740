//! The connection pools of this process, counted when they are asked for.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet},
    metrics::MetricType,
    registry::Registry,
};
use sqlx::PgPool;

/// The pools that are shown; clones show the same ones.
#[derive(Debug, Clone, Default)]
pub struct PoolMetrics(Arc<Mutex<Vec<PgPool>>>);

#[derive(Debug, EncodeLabelSet)]
struct StateLabels {
    db_client_connection_pool_name: String,
    db_client_connection_state: &'static str,
}

#[derive(Debug, EncodeLabelSet)]
struct PoolLabels {
    db_client_connection_pool_name: String,
}

impl PoolMetrics {
    /// Pools that show up in this registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register_collector(Box::new(PoolCollector(metrics.clone())));
        metrics
    }

    /// Shows a pool under its application name.
    pub fn show(&self, pool: PgPool) {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pools.push(pool);
    }
}

#[derive(Debug)]
struct PoolCollector(PoolMetrics);

impl Collector for PoolCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let pools = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut metric = encoder.encode_descriptor(
            "db_client_connection_count",
            "Connections of a pool, by whether somebody uses them; one that is kept at hand counts as used.",
            None,
            MetricType::Gauge,
        )?;
        for pool in pools.iter() {
            let idle = u64::try_from(pool.num_idle()).expect("a pool is small");
            let used = u64::from(pool.size()).saturating_sub(idle);
            for (state, connections) in [("idle", idle), ("used", used)] {
                let labels = StateLabels {
                    db_client_connection_pool_name: name(pool),
                    db_client_connection_state: state,
                };
                metric.encode_family(&labels)?.encode_gauge(&connections)?;
            }
        }
        let mut metric = encoder.encode_descriptor(
            "db_client_connection_max",
            "The most connections that a pool may have.",
            None,
            MetricType::Gauge,
        )?;
        for pool in pools.iter() {
            let labels = PoolLabels {
                db_client_connection_pool_name: name(pool),
            };
            let most = pool.options().get_max_connections();
            metric.encode_family(&labels)?.encode_gauge(&most)?;
        }
        Ok(())
    }
}

fn name(pool: &PgPool) -> String {
    let options = pool.connect_options();
    options
        .get_application_name()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::{metrics::text, pool};

    #[tokio::test]
    async fn a_pool_is_shown_by_its_application_name() {
        let mut registry = Registry::default();
        let metrics = PoolMetrics::register(&mut registry);
        let settings = pool::PoolSettings::for_api("gozon order api");
        let url = SecretString::from("postgres://api@127.0.0.1:1/orders");
        metrics.show(pool::connect(&url, &settings).unwrap());
        let text = text(&registry).unwrap();
        for line in [
            "db_client_connection_count{db_client_connection_pool_name=\"gozon order api\",db_client_connection_state=\"used\"} 0\n",
            "db_client_connection_max{db_client_connection_pool_name=\"gozon order api\"} 16\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
