//! What the operating system says of this process, under the names that Prometheus' own clients have for it. Read from
//! `/proc` when it is asked for; elsewhere than on Linux there is nothing to read.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

/// The kernel's clock ticks per second as programs see them, on every architecture that we build for (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// The process as the operating system sees it.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(seen) = Seen::now() else {
            return Ok(());
        };
        let cpu = ConstCounter::new(seen.cpu_seconds);
        let help = "Time that this process has spent on a processor, in the kernel or out of it.";
        let unit = Unit::Seconds;
        let metric =
            encoder.encode_descriptor("process_cpu", help, Some(&unit), cpu.metric_type())?;
        cpu.encode(metric)?;
        let started = ConstGauge::new(seen.start_seconds);
        let help = "When this process began, as Unix time.";
        let kind = started.metric_type();
        let metric = encoder.encode_descriptor("process_start_time", help, Some(&unit), kind)?;
        started.encode(metric)?;
        let resident = ConstGauge::new(seen.resident_bytes);
        let help = "Memory of this process that is in RAM.";
        let (unit, kind) = (Unit::Bytes, resident.metric_type());
        let metric =
            encoder.encode_descriptor("process_resident_memory", help, Some(&unit), kind)?;
        resident.encode(metric)?;
        for (name, help, value) in [
            ("process_threads", "Threads of this process.", seen.threads),
            (
                "process_open_fds",
                "File descriptors that this process has open, sockets among them.",
                seen.open_fds,
            ),
            (
                "process_max_fds",
                "The most file descriptors that this process may have open.",
                seen.max_fds,
            ),
        ] {
            let gauge = ConstGauge::new(value);
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}

/// What was seen at one moment.
#[derive(Debug, PartialEq)]
struct Seen {
    cpu_seconds: f64,
    start_seconds: f64,
    resident_bytes: i64,
    threads: i64,
    open_fds: i64,
    max_fds: i64,
}

impl Seen {
    fn now() -> Option<Self> {
        let open = fs::read_dir("/proc/self/fd").ok()?.count();
        Self::of(
            &fs::read_to_string("/proc/self/stat").ok()?,
            &fs::read_to_string("/proc/self/status").ok()?,
            &fs::read_to_string("/proc/self/limits").ok()?,
            &fs::read_to_string("/proc/stat").ok()?,
            i64::try_from(open).ok()?,
        )
    }

    fn of(stat: &str, status: &str, limits: &str, machine: &str, open_fds: i64) -> Option<Self> {
        // The program's name is in parentheses and may hold anything; behind it fields are counted from the third (proc(5)).
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let line = |text: &str, name: &str| -> Option<i64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let booted: f64 = machine
            .lines()
            .find_map(|line| line.strip_prefix("btime "))?
            .trim()
            .parse()
            .ok()?;
        Some(Self {
            cpu_seconds: (ticks(14)? + ticks(15)?) / TICKS_PER_SECOND,
            start_seconds: booted + ticks(22)? / TICKS_PER_SECOND,
            resident_bytes: line(status, "VmRSS:")? * 1024,
            threads: line(status, "Threads:")?,
            open_fds,
            // "unlimited" is as good as the largest number.
            max_fds: line(limits, "Max open files").unwrap_or(i64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read_whatever_the_program_is_called() {
        let stat =
            "4348 (a (b) c) S 1 2 3 0 -1 4194304 97 0 0 0 250 50 0 0 20 0 1 0 3000 3133440 362 1";
        let status = "Name:\tgozon\nVmRSS:\t    1896 kB\nThreads:\t7\n";
        let limits = "Max open files            20000                20000                files\n";
        let seen = Seen::of(stat, status, limits, "cpu 1\nbtime 1700000000\n", 12);
        let expected = Seen {
            cpu_seconds: 3.0,
            start_seconds: 1_700_000_030.0,
            resident_bytes: 1896 * 1024,
            threads: 7,
            open_fds: 12,
            max_fds: 20_000,
        };
        assert_eq!(seen, Some(expected));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_seen() {
        let seen = Seen::now().unwrap();
        assert!(seen.resident_bytes > 0 && seen.threads > 0 && seen.open_fds > 0);
    }
}
