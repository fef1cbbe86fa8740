//! What a registry does not know of the metrics: their labels, and what to do about them.

use super::Entry;

/// A metric that a panel or an alert uses.
const fn used(name: &'static str, labels: &'static [&'static str], todo: &'static str) -> Entry {
    Entry {
        name,
        labels,
        todo,
        traced: false,
        diagnostic: false,
    }
}

/// A histogram with exemplars that a panel or an alert uses.
const fn traced(name: &'static str, labels: &'static [&'static str], todo: &'static str) -> Entry {
    Entry {
        traced: true,
        ..used(name, labels, todo)
    }
}

/// A metric that no panel and no alert uses.
const fn diagnostic(
    name: &'static str,
    labels: &'static [&'static str],
    todo: &'static str,
) -> Entry {
    Entry {
        diagnostic: true,
        ..used(name, labels, todo)
    }
}

const NONE: &[&str] = &[];
const DATABASE: &[&str] = &["database"];
const QUEUE: &[&str] = &["queue"];
const REASON: &[&str] = &["reason"];
const KIND: &[&str] = &["kind"];
const LETTERS: &[&str] = &["queue", "reason"];
const POOL: &[&str] = &["db_client_connection_pool_name"];
const OPERATION: &[&str] = &[
    "messaging_operation_name",
    "messaging_destination_name",
    "error_type",
];

/// All metrics, in the order of the table: from the customer's side inwards.
pub(super) const ENTRIES: [&[Entry]; 7] = [
    CUSTOMERS, PAYMENTS, PUBLISHING, CONSUMING, DATABASES, OPERATOR, PROCESS,
];

const CUSTOMERS: &[Entry] = &[
    traced(
        "http_server_request_duration_seconds",
        &[
            "http_request_method",
            "http_route",
            "http_response_status_code",
        ],
        "Errors: read the log lines of an exemplar's trace. Latency: see `db_client_connection_wait_time_seconds`, then `db_client_operation_duration_seconds`.",
    ),
    used(
        "http_server_active_requests",
        &["http_request_method"],
        "If it grows without more requests coming, see what they wait for: pools first.",
    ),
    used(
        "gozon_orders_placed",
        NONE,
        "If it stops while requests come, look at the answers' status codes and at `gozon_shed_requests_total`.",
    ),
    used(
        "gozon_orders_decided",
        &["status", "reason"],
        "If it falls behind the orders placed, find the hop that holds them: outbox, queue, consumers.",
    ),
    traced(
        "gozon_order_settle_duration_seconds",
        NONE,
        "Find the slow hop: outbox age, queue depth, process duration; an exemplar's trace shows one order's way.",
    ),
    used(
        "gozon_undecided_orders",
        NONE,
        "If it grows, decisions are slower than orders: see `gozon_order_settle_duration_seconds`.",
    ),
    used(
        "gozon_shed_requests",
        REASON,
        "`uncommitted`: the database is slow, or replicas are too few. `undecided`: payments are slow. `outbox_age`: the broker is away, or no relay runs.",
    ),
    used(
        "gozon_refunds_requested",
        NONE,
        "If it rises, ask what is wrong with the goods: the shop only gives the money back.",
    ),
    used(
        "gozon_orders_refunded",
        NONE,
        "If it falls behind the refunds requested, find the hop that holds them: outbox, queue, consumers.",
    ),
    used(
        "gozon_reconciled_orders",
        NONE,
        "Messages were lost: look for a queue that was deleted or a broker that was restored. The orders need nothing.",
    ),
    used(
        "gozon_stuck_orders",
        &["state"],
        "`to_retry` heals by itself. `given_up`: follow one of them with `gozon trace`; the log names them.",
    ),
    used(
        "gozon_event_sockets",
        NONE,
        "Near what one replica takes: run more replicas.",
    ),
    used(
        "gozon_event_sockets_closed",
        REASON,
        "Many `try_again`: the database was away, or clients read too slowly.",
    ),
    used(
        "gozon_pushed_orders",
        NONE,
        "If it stops while orders are decided and sockets are open, look at the tail's log lines.",
    ),
    traced(
        "gozon_push_lag_seconds",
        NONE,
        "Look at the tail (`db_client_operation_duration_seconds` of `tail`) and at how much processor time is left.",
    ),
];

const PAYMENTS: &[Entry] = &[
    used(
        "gozon_payments_decided",
        &["outcome", "reason"],
        "If declines rise, look at the reason: money that is missing is the customer's affair, accounts that are missing ours.",
    ),
    used(
        "gozon_payments_repeated",
        NONE,
        "Nothing: a repeated request is harmless. Many of them mean redeliveries, or the reconciler at work.",
    ),
    used(
        "gozon_payments_refunded",
        NONE,
        "If it stops while refunds are requested, look at the payment service's dead letters.",
    ),
    used(
        "gozon_ledger_drift_accounts",
        NONE,
        "Stop whoever writes to the database by hand; the log names the accounts; run `gozon audit`.",
    ),
    used(
        "gozon_ledger_drift_minor",
        NONE,
        "As for `gozon_ledger_drift_accounts`.",
    ),
    used(
        "gozon_ledger_checked_accounts",
        NONE,
        "If it stands still on all replicas, nobody checks: look at the log of the payment service.",
    ),
    used(
        "gozon_ledger_check_completed_timestamp_seconds",
        NONE,
        "If the newest is hours old, the check does not get through: look at the log of the payment service.",
    ),
];

const PUBLISHING: &[Entry] = &[
    used(
        "gozon_outbox_pending",
        DATABASE,
        "If it grows, see who should publish: `gozon outbox`.",
    ),
    used(
        "gozon_outbox_oldest_age_seconds",
        DATABASE,
        "Is the broker there (`gozon_relay_connected`, `gozon_relay_blocked`), and has every lane an owner? `gozon outbox` tells by lane.",
    ),
    used(
        "gozon_outbox_parked_events",
        DATABASE,
        "An event fits into no message, which is a fault of the program. The log names it; the later events of its key wait behind it.",
    ),
    used(
        "gozon_outbox_partitions_ahead",
        DATABASE,
        "A relay makes them every ten minutes: look at its log. By hand, as the owner: `select messaging.maintain_partitions()`.",
    ),
    used(
        "gozon_outbox_restores",
        DATABASE,
        "Somebody restored the database from a backup; run `gozon audit` once the outbox is empty.",
    ),
    used(
        "gozon_lanes_without_owner",
        DATABASE,
        "Start relays of that database, or see in their logs why they take no lanes.",
    ),
    used(
        "gozon_relays_alive",
        DATABASE,
        "At 0 nothing is published: start a relay.",
    ),
    used(
        "gozon_relay_lanes_owned",
        DATABASE,
        "Lanes are shared evenly; a relay without any cannot reach the broker.",
    ),
    used(
        "gozon_relay_publishes",
        &["database", "outcome"],
        "`returned`: the topology is missing, `gozon migrate` declares it. `nacked`: a queue is full. `timed_out`, `failed`: look at the broker and the network.",
    ),
    used(
        "gozon_relay_published_events",
        DATABASE,
        "If it stops while events wait, see `gozon_relay_publishes_total`.",
    ),
    used(
        "gozon_relay_window_messages",
        DATABASE,
        "Nothing: it shrinks when the broker slows down, and grows again.",
    ),
    used(
        "gozon_relay_unconfirmed_messages",
        DATABASE,
        "If it stays at the window, the broker confirms slowly: look at its disk.",
    ),
    used(
        "gozon_relay_connected",
        DATABASE,
        "At 0, look at the broker and the network to it, then at the relay's log.",
    ),
    used(
        "gozon_relay_blocked",
        DATABASE,
        "Give the broker memory or disk; orders wait safely in the outbox.",
    ),
    used(
        "gozon_relay_blocked_seconds",
        DATABASE,
        "As for `gozon_relay_blocked`.",
    ),
    used(
        "gozon_wakeups",
        &["channel", "source"],
        "Many polls: the doorbells do not ring, and each order is up to a second late.",
    ),
];

const CONSUMING: &[Entry] = &[
    traced(
        "messaging_client_operation_duration_seconds",
        OPERATION,
        "Slow confirms: look at the broker's disk and its replicas.",
    ),
    used(
        "messaging_client_sent_messages",
        OPERATION,
        "With an `error_type`, see `gozon_relay_publishes_total`.",
    ),
    used(
        "messaging_client_consumed_messages",
        &["messaging_operation_name", "messaging_destination_name"],
        "If it stops while the queue fills, the consumers are gone or paused.",
    ),
    traced(
        "messaging_process_duration_seconds",
        OPERATION,
        "Slow: look at the database. With an `error_type`, read the log, and `gozon dead-letters`.",
    ),
    used(
        "gozon_inbox_messages",
        &["queue", "outcome"],
        "Many duplicates are redeliveries, after a crash or a lost connection. For the others see `gozon_deferred_events` and `gozon_dead_letters`.",
    ),
    used(
        "gozon_inbox_batch_events",
        QUEUE,
        "Nothing: it grows with the load, which keeps the cost of an event low.",
    ),
    used(
        "gozon_dead_letters",
        LETTERS,
        "Look at them with `gozon dead-letters`; mend the cause, then redrive or discard them.",
    ),
    used(
        "gozon_dead_letters_oldest_age_seconds",
        LETTERS,
        "As for `gozon_dead_letters`: somebody's order has waited for as long.",
    ),
    used(
        "gozon_dead_letters_written",
        LETTERS,
        "As for `gozon_dead_letters`.",
    ),
    used(
        "gozon_deferred_events",
        QUEUE,
        "They are tried again by themselves; if they stay, the log says what they wait for.",
    ),
    used(
        "gozon_consumer_paused",
        QUEUE,
        "Look at the service's database.",
    ),
    used(
        "gozon_consumer_connected",
        QUEUE,
        "At 0, look at the broker and the network to it, then at the service's log.",
    ),
    used(
        "gozon_consumer_unacknowledged_messages",
        QUEUE,
        "If it stays up, a batch cannot be settled: look at the log.",
    ),
    used(
        "gozon_queue_ready_messages",
        QUEUE,
        "If it grows, consumers are too slow or gone. In a `.dead` queue: the broker gave up, and no consumer has taken it from there.",
    ),
    used(
        "gozon_queue_consumers",
        QUEUE,
        "At 0 nobody consumes: start the service.",
    ),
];

const DATABASES: &[Entry] = &[
    used(
        "gozon_database_up",
        DATABASE,
        "At 0, look at Postgres and the network to it; orders that were accepted are safe.",
    ),
    used(
        "db_client_operation_duration_seconds",
        &["db_namespace", "db_operation_name"],
        "Look at Postgres: processor, disk, locks, and `gozon_postgres_oldest_snapshot_age_seconds`.",
    ),
    used(
        "db_client_connection_count",
        &[
            "db_client_connection_pool_name",
            "db_client_connection_state",
        ],
        "All used for long: statements are slow, or the pool is too small.",
    ),
    used(
        "db_client_connection_max",
        POOL,
        "Nothing: it is what the pool was given.",
    ),
    used(
        "db_client_connection_wait_time_seconds",
        POOL,
        "Slow statements hold the connections: see `db_client_operation_duration_seconds`.",
    ),
    used(
        "gozon_postgres_oldest_snapshot_age_seconds",
        &["database", "application_name"],
        "End that session, or wait until it is done: meanwhile old versions of rows pile up, and nothing is lost.",
    ),
];

const OPERATOR: &[Entry] = &[
    used(
        "gozon_operator_leads",
        NONE,
        "The sum over all operators is 1, or 0 for a few seconds of a hand-over; 0 for longer: see their logs.",
    ),
    used(
        "gozon_operator_reconciles",
        KIND,
        "If it stands still while there are resources, no operator acts.",
    ),
    used(
        "gozon_operator_failures",
        &["kind", "class"],
        "`forbidden`: its Role does not fit its version. `service_away`: the services or the operators' token. `unreachable`: the API server.",
    ),
    Entry {
        traced: true,
        ..diagnostic(
            "gozon_operator_reconcile_duration_seconds",
            KIND,
            "Mostly the time that the services and the API server take to answer.",
        )
    },
    diagnostic(
        "gozon_operator_queue_duration_seconds",
        KIND,
        "Above a second: more resources than are looked at in time.",
    ),
    diagnostic(
        "gozon_operator_api_calls",
        &["verb", "group", "resource", "status"],
        "403: its Role does not fit its version.",
    ),
];

const PROCESS: &[Entry] = &[
    used(
        "gozon_telemetry_spans",
        &["service", "outcome"],
        "`failed`: the collector is away. `dropped`: it is too slow. No order suffers.",
    ),
    used("gozon_log_lines", &["level"], "Read them."),
    used(
        "gozon_build",
        &["version"],
        "Two versions at once for long: an update is stuck.",
    ),
    used(
        "process_cpu_seconds",
        NONE,
        "At its limit: run more replicas, or raise it.",
    ),
    used(
        "process_resident_memory_bytes",
        NONE,
        "If it only ever grows, report it with the version.",
    ),
    used(
        "process_open_fds",
        NONE,
        "Near the most there may be: too many sockets for one process.",
    ),
    used(
        "process_max_fds",
        NONE,
        "Raise the limit on file descriptors where it is below ten thousand.",
    ),
    used(
        "process_start_time_seconds",
        NONE,
        "If it changes by itself, the process ended: the last lines of its log say why.",
    ),
    diagnostic(
        "process_threads",
        NONE,
        "Nothing, as long as it stands still.",
    ),
    used(
        "gozon_runtime_workers",
        NONE,
        "Nothing: there is one for each processor.",
    ),
    used(
        "gozon_runtime_alive_tasks",
        NONE,
        "If it only ever grows, report it with the version.",
    ),
    used(
        "gozon_runtime_queue_depth",
        NONE,
        "If it stays up, there is too little processor time.",
    ),
    used(
        "gozon_runtime_busy_seconds",
        NONE,
        "As for `process_cpu_seconds_total`.",
    ),
];
