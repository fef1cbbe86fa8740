//! Damage that no program of the shop can do: a paid order in both databases, and one way to break each promise on it.

use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use uuid::Uuid;

/// One way to break a promise, done to a paid order of its own. `{order}`, `{user}`, `{account}` and `{other}`, an id
/// of nothing, are filled in.
#[derive(Debug)]
pub(super) struct Case {
    /// What the audit must find, and nothing besides.
    pub(super) found: &'static [&'static str],
    pub(super) in_orders: &'static str,
    pub(super) in_payments: &'static str,
}

const fn case(
    found: &'static [&'static str],
    in_orders: &'static str,
    in_payments: &'static str,
) -> Case {
    Case {
        found,
        in_orders,
        in_payments,
    }
}

const HEALTHY_IN_ORDERS: &str = "
    insert into orders.orders (id, user_id, amount_minor, currency, description, status, version, trace_id, created_at,
                               decided_at)
        values ('{order}', {user}, 40, 'RUB', 'Laces', 'FINISHED', 2, repeat('a', 32), now(), now());
    insert into orders.status_history (order_id, user_id, version, status, at)
        values ('{order}', {user}, 1, 'NEW', now()), ('{order}', {user}, 2, 'FINISHED', now());
    insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
        values (0, '{order}', gen_random_uuid(), 'order.placed.v1', '', '');
    insert into messaging.idempotency_key (user_id, key, request_digest, resource_id)
        values ({user}, 'an order', '', '{order}');";

const HEALTHY_IN_PAYMENTS: &str = "
    insert into payments.account (id, user_id, balance_minor, currency) values ('{account}', {user}, 60, 'RUB');
    insert into payments.ledger_entry (id, account_id, order_id, kind, amount_minor, balance_after_minor)
        values ('{top_up}', '{account}', null, 'TOP_UP', 100, 100),
               (gen_random_uuid(), '{account}', '{order}', 'PAYMENT', -40, 60);
    insert into payments.payment (order_id, user_id, amount_minor, currency, outcome, received_at, decided_at)
        values ('{order}', {user}, 40, 'RUB', 'CAPTURED', now(), now());
    insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
        values (0, '{order}', gen_random_uuid(), 'payment.captured.v1', '', '');
    insert into messaging.idempotency_key (user_id, key, request_digest, resource_id)
        values ({user}, 'a top-up', '', '{top_up}');";

/// The order is undecided, as if its answer had not come.
macro_rules! undecided {
    () => {
        "update orders.orders set status = 'NEW', version = 1, decided_at = null where id = '{order}';
        delete from orders.status_history where order_id = '{order}' and version = 2;"
    };
}

/// The payment service has never heard of the order.
macro_rules! never_asked {
    () => {
        "delete from payments.payment where order_id = '{order}';
        delete from payments.ledger_entry where order_id = '{order}';
        delete from messaging.outbox where key = '{order}';
        update payments.account set balance_minor = 100 where id = '{account}';"
    };
}

/// The order service has never heard of the order, but for its history.
macro_rules! order_gone {
    () => {
        "delete from orders.orders where id = '{order}';
        delete from messaging.outbox where key = '{order}';
        delete from messaging.idempotency_key where resource_id = '{order}';"
    };
}

/// The order was given up, and its money is asked for.
macro_rules! given_up {
    () => {
        "update orders.orders set status = 'REFUNDING', version = 3 where id = '{order}';
        insert into orders.status_history (order_id, user_id, version, status, at)
            values ('{order}', {user}, 3, 'REFUNDING', now());
        insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (0, '{order}', gen_random_uuid(), 'refund.requested.v1', '', '');"
    };
}

/// The order was given up, and its money is back.
macro_rules! returned {
    () => {
        concat!(
            given_up!(),
            "update orders.orders set status = 'CANCELLED', reason = 'refunded', version = 4 where id = '{order}';
            insert into orders.status_history (order_id, user_id, version, status, reason, at)
                values ('{order}', {user}, 4, 'CANCELLED', 'refunded', now());"
        )
    };
}

/// The order's money was given back.
macro_rules! refunded {
    () => {
        "insert into payments.ledger_entry (id, account_id, order_id, kind, amount_minor, balance_after_minor)
            values (gen_random_uuid(), '{account}', '{order}', 'REFUND', 40, 100);
        update payments.account set balance_minor = 100 where id = '{account}';
        insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (0, '{order}', gen_random_uuid(), 'payment.refunded.v1', '', '');"
    };
}

/// The order's event can never be sent.
macro_rules! parked {
    () => {
        "insert into messaging.parked (outbox_id, lane, key, event_id, type, body, reason)
            select id, lane, key, event_id, type, body, 'too_large' from messaging.outbox where key = '{order}';"
    };
}

/// The cursor of a lane that is this order's alone is past its event, of which nobody wrote down that it was published.
macro_rules! passed_over {
    () => {
        "update messaging.outbox set lane = 2 where key = '{order}';
        update messaging.lane set settled = pg_current_snapshot() where lane = 2;"
    };
}

/// One case per check at least, and where one damage cannot come without another, both.
pub(super) const PLANTED: &[Case] = &[
    case(
        &["order_stuck"],
        concat!(
            undecided!(),
            "update orders.orders set created_at = now() - interval '2 minutes' where id = '{order}'"
        ),
        never_asked!(),
    ),
    case(
        &["order_stuck"],
        concat!(
            given_up!(),
            "update orders.status_history set at = now() - interval '2 minutes'
                where order_id = '{order}' and version = 3"
        ),
        "",
    ),
    // As it should be, twice: on its way and at its end.
    case(&[], given_up!(), refunded!()),
    case(&[], returned!(), refunded!()),
    case(
        &["key_without_order"],
        "insert into messaging.idempotency_key (user_id, key, request_digest, resource_id)
            values ({user}, 'another order', '', '{other}')",
        "",
    ),
    case(
        &["request_without_order"],
        "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (0, '{other}', gen_random_uuid(), 'order.placed.v1', '', '')",
        "",
    ),
    case(
        &["request_without_order"],
        "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (0, '{other}', gen_random_uuid(), 'refund.requested.v1', '', '')",
        "",
    ),
    case(
        &["refund_without_request"],
        concat!(
            given_up!(),
            "delete from messaging.outbox where key = '{order}' and type = 'refund.requested.v1'"
        ),
        "",
    ),
    case(
        &["refund_without_request"],
        concat!(given_up!(), parked!()),
        "",
    ),
    case(
        &["refund_without_answer"],
        returned!(),
        concat!(
            refunded!(),
            "delete from messaging.outbox where key = '{order}' and type = 'payment.refunded.v1'"
        ),
    ),
    case(
        &["refunded_twice"],
        returned!(),
        concat!(
            refunded!(),
            "drop index if exists payments.ledger_entry_order_id_kind_key;
            insert into payments.ledger_entry (id, account_id, order_id, kind, amount_minor, balance_after_minor)
                values (gen_random_uuid(), '{account}', '{order}', 'REFUND', 40, 140);
            update payments.account set balance_minor = 140 where id = '{account}'"
        ),
    ),
    case(
        &["captured_without_debit", "refund_without_debit"],
        returned!(),
        concat!(
            refunded!(),
            "delete from payments.ledger_entry where order_id = '{order}' and kind = 'PAYMENT';
            update payments.ledger_entry set balance_after_minor = 140 where order_id = '{order}';
            update payments.account set balance_minor = 140 where id = '{account}'"
        ),
    ),
    case(
        &["refund_unlike_debit"],
        returned!(),
        concat!(
            refunded!(),
            "update payments.ledger_entry set amount_minor = 41, balance_after_minor = 101
                where order_id = '{order}' and kind = 'REFUND';
            update payments.account set balance_minor = 101 where id = '{account}'"
        ),
    ),
    case(
        &["answer_without_refund"],
        given_up!(),
        "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (0, '{order}', gen_random_uuid(), 'payment.refunded.v1', '', '')",
    ),
    case(&["status_unlike_refund"], "", refunded!()),
    case(&["status_unlike_refund"], returned!(), ""),
    case(&["status_unlike_refund"], undecided!(), refunded!()),
    case(
        &["balance_unlike_entries"],
        returned!(),
        concat!(
            refunded!(),
            "update payments.account set balance_minor = 60 where id = '{account}'"
        ),
    ),
    case(
        &["entry_chain_broken"],
        returned!(),
        concat!(
            refunded!(),
            "update payments.ledger_entry set balance_after_minor = 99 where order_id = '{order}' and kind = 'REFUND'"
        ),
    ),
    case(
        &["order_without_request"],
        concat!(
            undecided!(),
            "delete from messaging.outbox where key = '{order}'"
        ),
        never_asked!(),
    ),
    case(
        &["decision_without_answer"],
        "",
        "delete from messaging.outbox where key = '{order}'",
    ),
    case(
        &["order_without_request"],
        concat!(undecided!(), parked!()),
        never_asked!(),
    ),
    case(&["decision_without_answer"], "", parked!()),
    case(&["request_passed_over"], passed_over!(), ""),
    case(&["answer_passed_over"], "", passed_over!()),
    case(
        &["captured_without_debit"],
        "",
        "delete from payments.ledger_entry where order_id = '{order}';
        update payments.account set balance_minor = 100 where id = '{account}'",
    ),
    case(
        &["debited_twice"],
        "",
        "drop index if exists payments.ledger_entry_order_id_kind_key;
        insert into payments.ledger_entry (id, account_id, order_id, kind, amount_minor, balance_after_minor)
            values (gen_random_uuid(), '{account}', '{order}', 'PAYMENT', -40, 20);
        update payments.account set balance_minor = 20 where id = '{account}'",
    ),
    case(
        &["debit_unlike_decision"],
        "update orders.orders set amount_minor = 41 where id = '{order}'",
        "update payments.payment set amount_minor = 41 where order_id = '{order}'",
    ),
    case(
        &["debit_unlike_decision"],
        "update orders.orders set user_id = {user} + 1000 where id = '{order}';
        update orders.status_history set user_id = {user} + 1000 where order_id = '{order}'",
        "update payments.payment set user_id = {user} + 1000 where order_id = '{order}'",
    ),
    case(
        &["declined_with_debit"],
        "update orders.orders set status = 'CANCELLED', reason = 'no_account' where id = '{order}';
        update orders.status_history set status = 'CANCELLED' where order_id = '{order}' and version = 2",
        "update payments.payment set outcome = 'DECLINED', reason = 'no_account' where order_id = '{order}';
        update messaging.outbox set type = 'payment.declined.v1' where key = '{order}'",
    ),
    case(
        &["debit_without_decision"],
        undecided!(),
        "delete from payments.payment where order_id = '{order}';
        delete from messaging.outbox where key = '{order}'",
    ),
    case(
        &["answer_against_decision"],
        "",
        "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (0, '{order}', gen_random_uuid(), 'payment.declined.v1', '', '')",
    ),
    case(
        &["answer_against_decision"],
        "",
        "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (0, '{other}', gen_random_uuid(), 'payment.captured.v1', '', '')",
    ),
    case(&["order_without_decision"], "", never_asked!()),
    case(
        &["decision_without_order"],
        concat!(
            order_gone!(),
            "delete from orders.status_history where order_id = '{order}'"
        ),
        "",
    ),
    case(
        &["status_unlike_decision"],
        "update orders.orders set status = 'CANCELLED', reason = 'no_account' where id = '{order}';
        update orders.status_history set status = 'CANCELLED' where order_id = '{order}' and version = 2",
        "",
    ),
    case(
        &["order_unlike_decision"],
        "update orders.orders set amount_minor = 41 where id = '{order}'",
        "",
    ),
    case(
        &["order_unlike_decision"],
        concat!(undecided!(), "update orders.orders set user_id = {user} + 1000 where id = '{order}';
        update orders.status_history set user_id = {user} + 1000 where order_id = '{order}'"),
        "",
    ),
    case(
        &["order_without_history"],
        "delete from orders.status_history where order_id = '{order}'",
        "",
    ),
    case(&["history_without_order"], order_gone!(), never_asked!()),
    case(
        &["history_with_gaps"],
        "delete from orders.status_history where order_id = '{order}' and version = 1",
        "",
    ),
    case(
        &["history_with_gaps"],
        "update orders.orders set version = 3 where id = '{order}';
        update orders.status_history set version = 3 where order_id = '{order}' and version = 2",
        "",
    ),
    case(
        &["history_unlike_order"],
        "update orders.status_history set status = 'CANCELLED' where order_id = '{order}' and version = 2",
        "",
    ),
    case(
        &["history_unlike_order"],
        "update orders.status_history set user_id = {user} + 1000 where order_id = '{order}' and version = 1",
        "",
    ),
    case(
        &["negative_balance", "balance_unlike_entries"],
        "",
        "alter table payments.account drop constraint if exists account_balance_not_negative;
        update payments.account set balance_minor = -1 where id = '{account}'",
    ),
    case(
        &["negative_balance_after", "entry_chain_broken"],
        "",
        "alter table payments.ledger_entry drop constraint if exists ledger_entry_balance_after_not_negative;
        update payments.ledger_entry set balance_after_minor = -1 where id = '{top_up}'",
    ),
    case(
        &["balance_unlike_entries"],
        "",
        "update payments.account set balance_minor = balance_minor + 1 where id = '{account}'",
    ),
    case(
        &["entry_chain_broken"],
        "",
        "update payments.ledger_entry set balance_after_minor = 61 where order_id = '{order}'",
    ),
    case(
        &["entry_without_account"],
        "",
        "alter table payments.ledger_entry drop constraint if exists ledger_entry_account_id_fkey;
        insert into payments.ledger_entry (id, account_id, kind, amount_minor, balance_after_minor)
            values (gen_random_uuid(), '{other}', 'TOP_UP', 1, 1)",
    ),
    case(
        &["key_without_entry"],
        "",
        "insert into messaging.idempotency_key (user_id, key, request_digest, resource_id)
            values ({user}, 'another top-up', '', '{other}')",
    ),
];

/// A paid order of one user.
#[derive(Debug)]
pub(super) struct Planted {
    pub(super) order: Uuid,
    user: i64,
    account: Uuid,
    top_up: Uuid,
    other: Uuid,
}

impl Planted {
    pub(super) fn new(user: i64) -> Self {
        Self {
            order: Uuid::new_v4(),
            user,
            account: Uuid::new_v4(),
            top_up: Uuid::new_v4(),
            other: Uuid::new_v4(),
        }
    }

    /// The order as it should be: paid, in both databases.
    pub(super) async fn plant_healthy(&self, orders: &PgPool, payments: &PgPool) {
        self.run(orders, HEALTHY_IN_ORDERS).await;
        self.run(payments, HEALTHY_IN_PAYMENTS).await;
    }

    /// Has the order given up.
    pub(super) async fn give_up(&self, orders: &PgPool) {
        self.run(orders, given_up!()).await;
    }

    /// Makes the order undecided and forgets its payment.
    pub(super) async fn undo_decision(&self, orders: &PgPool, payments: &PgPool) {
        self.make_undecided(orders).await;
        self.forget_payment(payments).await;
    }

    /// Makes the order undecided, as if its answer had not come.
    pub(super) async fn make_undecided(&self, orders: &PgPool) {
        self.run(orders, undecided!()).await;
    }

    /// Forgets its payment, as if it had never been asked for.
    pub(super) async fn forget_payment(&self, payments: &PgPool) {
        self.run(payments, never_asked!()).await;
    }

    /// Runs statements about this order.
    pub(super) async fn run(&self, pool: &PgPool, statements: &str) {
        let mut connection = pool.acquire().await.unwrap();
        self.run_on(&mut connection, statements).await;
    }

    /// The same over one connection, in its transaction if it has one.
    pub(super) async fn run_on(&self, connection: &mut PgConnection, statements: &str) {
        let statements = statements
            .replace("{order}", &self.order.to_string())
            .replace("{user}", &self.user.to_string())
            .replace("{account}", &self.account.to_string())
            .replace("{top_up}", &self.top_up.to_string())
            .replace("{other}", &self.other.to_string());
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(connection)
            .await
            .unwrap();
    }

    /// Everything a finding about it can name.
    pub(super) fn subjects(&self) -> Vec<String> {
        let ids = [self.order, self.account, self.top_up, self.other];
        ids.iter().map(Uuid::to_string).collect()
    }
}
