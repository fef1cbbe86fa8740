//! What the runtime says of itself, when it is asked.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use tokio::runtime::Handle;

/// The runtime that runs the process's tasks.
#[derive(Debug)]
pub(super) struct RuntimeCollector(pub(super) Handle);

impl Collector for RuntimeCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let metrics = self.0.metrics();
        for (name, help, value) in [
            (
                "gozon_runtime_workers",
                "Threads that run this process's tasks.",
                metrics.num_workers(),
            ),
            (
                "gozon_runtime_alive_tasks",
                "Tasks of this process that have not ended.",
                metrics.num_alive_tasks(),
            ),
            (
                "gozon_runtime_queue_depth",
                "Tasks that wait for a worker in the queue that all of them share.",
                metrics.global_queue_depth(),
            ),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        let workers = 0..metrics.num_workers();
        let busy: f64 = workers
            .map(|worker| metrics.worker_total_busy_duration(worker).as_secs_f64())
            .sum();
        let busy = ConstCounter::new(busy);
        let help = "Time that the workers have spent on tasks, summed up; at one second per second and worker there is no room left.";
        let (name, kind) = ("gozon_runtime_busy", busy.metric_type());
        let metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        busy.encode(metric)
    }
}
