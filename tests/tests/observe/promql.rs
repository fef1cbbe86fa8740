//! Prometheus' queries taken apart.

use std::collections::BTreeSet;

use promql_parser::parser::{self, Expr};

/// What Prometheus itself knows.
pub(crate) const OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];

/// What a dashboard fills in: everything selected, and a window that a test has time for.
const FILLED_IN: [(&str, &str); 4] = [
    ("$namespace", ".*"),
    ("$job", ".*"),
    ("$__rate_interval", "10s"),
    ("$__range", "5m"),
];

/// What every replica tells of a whole database or queue; adding it up would count it twice.
const OF_THE_WHOLE: [&str; 16] = [
    "gozon_outbox_pending",
    "gozon_outbox_oldest_age_seconds",
    "gozon_outbox_parked_events",
    "gozon_outbox_partitions_ahead",
    "gozon_lanes_without_owner",
    "gozon_relays_alive",
    "gozon_dead_letters",
    "gozon_dead_letters_oldest_age_seconds",
    "gozon_deferred_events",
    "gozon_queue_ready_messages",
    "gozon_queue_consumers",
    "gozon_undecided_orders",
    "gozon_stuck_orders",
    "gozon_ledger_drift_accounts",
    "gozon_ledger_drift_minor",
    "gozon_postgres_oldest_snapshot_age_seconds",
];

/// A dashboard's query as Prometheus gets it.
pub(crate) fn filled_in(query: &str) -> String {
    let mut filled = query.to_owned();
    for (variable, value) in FILLED_IN {
        filled = filled.replace(variable, value);
    }
    assert!(!filled.contains('$'), "an unknown variable in {query}");
    filled
}

pub(crate) fn parse(query: &str) -> Expr {
    parser::parse(query).unwrap_or_else(|error| panic!("{error}: {query}"))
}

/// The names of all series it asks for.
pub(crate) fn names(expression: &Expr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    visit(expression, None, &mut |name, _| {
        names.insert(name.to_owned());
    });
    names
}

/// Checks that what is told of the whole by everybody is not added up.
pub(crate) fn assert_counts_nothing_twice(query: &str) {
    visit(&parse(query), None, &mut |name, innermost| {
        let aggregation = innermost.unwrap_or("nothing");
        assert!(
            !OF_THE_WHOLE.contains(&name) || matches!(aggregation, "max" | "min" | "absent"),
            "{name} under {aggregation}: {query}"
        );
    });
}

/// What has to yield something for an alert's condition to mean something: both sides of every `and` and `or`, without the
/// comparisons that make it yield nothing as long as all is well.
pub(crate) fn operands(condition: &Expr) -> Vec<String> {
    match condition {
        Expr::Paren(inner) => operands(&inner.expr),
        Expr::Binary(both) if both.op.is_set_operator() || both.op.is_comparison_operator() => {
            [&both.lhs, &both.rhs]
                .into_iter()
                .filter(|side| !names(side).is_empty())
                .flat_map(|side| operands(side))
                .collect()
        }
        Expr::Call(call) if matches!(call.func.name, "absent" | "label_replace") => {
            operands(&call.args.args[0])
        }
        whole => vec![whole.to_string()],
    }
}

/// Names every selector, with the aggregation that it stands in.
fn visit(expression: &Expr, innermost: Option<&str>, take: &mut impl FnMut(&str, Option<&str>)) {
    match expression {
        Expr::Aggregate(inner) => {
            let name = inner.op.to_string();
            visit(&inner.expr, Some(&name), take);
            if let Some(parameter) = &inner.param {
                visit(parameter, innermost, take);
            }
        }
        Expr::Unary(inner) => visit(&inner.expr, innermost, take),
        Expr::Paren(inner) => visit(&inner.expr, innermost, take),
        Expr::Subquery(inner) => visit(&inner.expr, innermost, take),
        Expr::Binary(both) => {
            visit(&both.lhs, innermost, take);
            visit(&both.rhs, innermost, take);
        }
        Expr::Call(call) => {
            let innermost = if call.func.name == "absent" {
                Some("absent")
            } else {
                innermost
            };
            for argument in &call.args.args {
                visit(argument, innermost, take);
            }
        }
        Expr::VectorSelector(selector) => {
            let name = selector.name.as_deref();
            take(name.expect("a selector names its metric"), innermost);
        }
        Expr::MatrixSelector(selector) => {
            let name = selector.vs.name.as_deref();
            take(name.expect("a selector names its metric"), innermost);
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}
