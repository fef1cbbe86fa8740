//! The named figures: what each means, what is required of it, and what was found.

use std::collections::BTreeMap;

use serde::Serialize;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

/// What is required, and what is aimed at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) better: Better,
    pub(crate) required: f64,
    pub(crate) aim: f64,
}

/// A figure that the bench knows.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) target: Option<Target>,
}

/// How a value stands to its target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Standing {
    /// There is no target.
    Plain,
    AimReached,
    RequiredMet,
    /// By so many percent of what is required.
    MissedBy(f64),
}

/// What was found, by name.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Figures(BTreeMap<&'static str, f64>);

/// All figures, in the order of the table.
pub(crate) const KNOWN: [Known; 34] = [
    higher(
        "end_to_end_orders_per_second",
        "orders from POST to status push, closed loop, 10,000 accounts, 95 % payable",
        10_000.0,
        15_000.0,
    ),
    lower(
        "server_cpu_us_per_order",
        "processor time of all servers per order, µs",
        150.0,
        100.0,
    ),
    plain("server_cpu_us_postgres", "of it Postgres"),
    plain("server_cpu_us_rabbitmq", "of it RabbitMQ"),
    plain("server_cpu_us_gozon", "of it Gozon"),
    plain(
        "generator_cpu_us_per_order",
        "processor time of the load generator per order, µs, on the same machine",
    ),
    plain("saturated_p50_ms", "POST to push at saturation, median"),
    plain(
        "saturated_p99_ms",
        "POST to push at saturation, 99th percentile",
    ),
    plain(
        "pgbench_orders_per_second",
        "pgbench: order + outbox row, transaction of 4 statements, 32 clients, same instance",
    ),
    higher(
        "end_to_end_over_pgbench",
        "end to end over pgbench",
        1.0,
        1.3,
    ),
    lower(
        "serial_p50_ms",
        "one order at a time, POST to push, median",
        5.0,
        3.0,
    ),
    lower(
        "serial_p99_ms",
        "one order at a time, POST to push, 99th percentile",
        10.0,
        5.0,
    ),
    plain(
        "p50_ms_at_40_percent",
        "open loop at 40 % of the first figure, median",
    ),
    lower(
        "p99_ms_at_40_percent",
        "open loop at 40 % of the first figure, 99th percentile",
        60.0,
        30.0,
    ),
    higher(
        "hot_account_share",
        "all orders on one account, share of the first figure",
        0.8,
        1.0,
    ),
    higher(
        "half_unpayable_share",
        "half the orders unpayable, share of the first figure",
        0.8,
        1.0,
    ),
    plain(
        "backlog_drain_orders_per_second",
        "a million outbox rows of backlog: ends pushed per second while it drains, nobody ordering",
    ),
    higher(
        "backlog_drain_over_empty",
        "the same over the rate at which a fifth of it drains",
        0.9,
        1.0,
    ),
    plain(
        "backlog_drain_end_over_start",
        "the rate of its last ten seconds over that of its first",
    ),
    higher(
        "held_snapshot_end_over_start",
        "another session's snapshot held open: rate at the end over rate at the start",
        0.9,
        1.0,
    ),
    plain(
        "held_snapshot_empty_poll_buffers",
        "buffers that an empty poll of the outbox reads then",
    ),
    plain(
        "one_event_per_message_orders_per_second",
        "one event per AMQP message, for comparison",
    ),
    plain(
        "relays_1_orders_per_second",
        "one relay process per database",
    ),
    plain(
        "relays_2_orders_per_second",
        "two relay processes per database",
    ),
    plain(
        "relays_4_orders_per_second",
        "four relay processes per database",
    ),
    higher(
        "telemetry_rate_share",
        "with a collector, one trace in a hundred recorded: orders per second over those without",
        0.95,
        1.0,
    ),
    lower(
        "telemetry_gozon_cpu_share",
        "the same: gozon's processor time per order over that without",
        1.1,
        1.0,
    ),
    plain(
        "idle_socket_bytes",
        "memory of a replica with 10,000 idle sockets, each one's share",
    ),
    plain(
        "seen_p50_ms",
        "1,000 orders/s over three order replicas: from an order's change to its being shown, median",
    ),
    lower("seen_p99_ms", "the same, 99th percentile", 100.0, 50.0),
    plain(
        "seen_p50_ms_while_killed",
        "the same while one replica after the other is killed and started again, median",
    ),
    lower(
        "seen_p99_ms_while_killed",
        "the same, 99th percentile: sockets open again meanwhile",
        100.0,
        50.0,
    ),
    plain(
        "finished_share",
        "orders of the first figure that were paid",
    ),
    plain(
        "elsewhere_cpus",
        "processors that everything else on the machine kept busy meanwhile",
    ),
];

const fn plain(name: &'static str, meaning: &'static str) -> Known {
    Known {
        name,
        meaning,
        target: None,
    }
}

const fn higher(name: &'static str, meaning: &'static str, required: f64, aim: f64) -> Known {
    aimed(
        name,
        meaning,
        Target {
            better: Better::Higher,
            required,
            aim,
        },
    )
}

const fn lower(name: &'static str, meaning: &'static str, required: f64, aim: f64) -> Known {
    aimed(
        name,
        meaning,
        Target {
            better: Better::Lower,
            required,
            aim,
        },
    )
}

const fn aimed(name: &'static str, meaning: &'static str, target: Target) -> Known {
    Known {
        name,
        meaning,
        target: Some(target),
    }
}

impl Figures {
    /// Sets a figure.
    ///
    /// # Panics
    /// When the bench does not know it: the table would lack it.
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        let known = KNOWN.iter().find(|known| known.name == name);
        let known = known.unwrap_or_else(|| panic!("{name} is no known figure"));
        self.0.insert(known.name, value);
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// What was found, in the order of the table.
    pub(crate) fn found(&self) -> impl Iterator<Item = (&'static Known, f64)> {
        KNOWN
            .iter()
            .filter_map(|known| Some((known, self.get(known.name)?)))
    }
}

impl Known {
    pub(crate) fn standing(&self, value: f64) -> Standing {
        let Some(target) = self.target else {
            return Standing::Plain;
        };
        let reaches = |goal: f64| match target.better {
            Better::Higher => value >= goal,
            Better::Lower => value <= goal,
        };
        if reaches(target.aim) {
            Standing::AimReached
        } else if reaches(target.required) {
            Standing::RequiredMet
        } else {
            Standing::MissedBy((value - target.required).abs() / target.required * 100.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn known(name: &str) -> &'static Known {
        KNOWN.iter().find(|known| known.name == name).unwrap()
    }

    #[test]
    fn no_two_figures_have_the_same_name_and_no_aim_is_below_what_is_required() {
        let names: HashSet<_> = KNOWN.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), KNOWN.len());
        for known in &KNOWN {
            if let Some(target) = known.target {
                assert_ne!(known.standing(target.aim), Standing::RequiredMet);
                assert!(
                    !matches!(known.standing(target.aim), Standing::MissedBy(_)),
                    "{}",
                    known.name
                );
            }
        }
    }

    #[test]
    fn a_value_reaches_the_aim_meets_what_is_required_or_misses_it_by_some_percent() {
        let rate = known("end_to_end_orders_per_second");
        assert_eq!(rate.standing(15_000.0), Standing::AimReached);
        assert_eq!(rate.standing(12_000.0), Standing::RequiredMet);
        assert_eq!(rate.standing(9_000.0), Standing::MissedBy(10.0));
        let cost = known("server_cpu_us_per_order");
        assert_eq!(cost.standing(99.0), Standing::AimReached);
        assert_eq!(cost.standing(300.0), Standing::MissedBy(100.0));
        assert_eq!(known("server_cpu_us_gozon").standing(1.0), Standing::Plain);
    }

    #[test]
    fn figures_are_found_in_the_order_of_the_table() {
        let mut figures = Figures::default();
        figures.set("serial_p50_ms", 4.0);
        figures.set("end_to_end_orders_per_second", 1.0);
        let names: Vec<_> = figures.found().map(|(known, _)| known.name).collect();
        assert_eq!(names, ["end_to_end_orders_per_second", "serial_p50_ms"]);
    }
}
