//! The reconciler: what it repeats, when it leaves an order alone, and that dying anywhere costs nothing.

mod refunds;

use std::time::Duration;

use contracts::OrderId;
use order::{
    ReconcileSettings, Reconciler,
    reconcile::{BackOff, ReconcileError, StuckOrder, Turn, stuck_orders},
};
use serde_json::{Value, json};
use tests::poll_until;

use crate::fixture::Shop;

const SOON: Duration = Duration::from_secs(10);

/// Orders are too old as soon as they are placed, and each is tried twice.
const AT_ONCE: ReconcileSettings = ReconcileSettings {
    after: Duration::ZERO,
    attempts: 2,
    back_off: BackOff {
        first: Duration::from_hours(1),
        longest: Duration::from_hours(1),
    },
};

fn reconciler(shop: &Shop) -> Reconciler {
    order::reconciler(&shop.state, AT_ONCE)
}

/// A turn that this reconciler must be able to take.
async fn turn(reconciler: &mut Reconciler) -> Turn {
    reconciler.turn().await.unwrap().expect("the lease is free")
}

/// Relays have published everything there is.
async fn everything_is_published(shop: &Shop) {
    shop.damage("update messaging.lane set settled = pg_current_snapshot()")
        .await;
}

/// The pauses between attempts are over.
async fn pauses_are_over(shop: &Shop) {
    shop.damage(
        "update orders.stuck set next_attempt_at = now() where next_attempt_at is not null",
    )
    .await;
}

/// An order whose request was published and is lost.
async fn lost(shop: &Shop) -> OrderId {
    let id = shop.placed(7).await;
    everything_is_published(shop).await;
    id_is_in_the_past(shop, id).await;
    id
}

/// The walk ends before the present millisecond, in which the order may have been placed.
async fn id_is_in_the_past(shop: &Shop, id: OrderId) {
    poll_until("the next millisecond", SOON, async || {
        let is_past = "select messaging.uuid_at(now()) > $1";
        let is_past: bool = sqlx::query_scalar(is_past)
            .bind(id.as_uuid())
            .fetch_one(&shop.admin)
            .await
            .unwrap();
        is_past.then_some(())
    })
    .await;
}

async fn stuck(shop: &Shop) -> Vec<StuckOrder> {
    stuck_orders(&mut shop.writer.acquire().await.unwrap(), None, 100)
        .await
        .unwrap()
}

/// The requests in the outbox for an order, oldest first.
async fn requests(shop: &Shop, id: OrderId) -> Vec<Value> {
    let bodies: Vec<Vec<u8>> =
        sqlx::query_scalar("select body from messaging.outbox where key = $1 order by id")
            .bind(id.as_uuid())
            .fetch_all(&shop.admin)
            .await
            .unwrap();
    bodies
        .iter()
        .map(|body| serde_json::from_slice(body).unwrap())
        .collect()
}

#[tokio::test]
async fn a_lost_request_is_repeated_under_a_new_id_and_everybody_can_see_it() {
    let shop = Shop::open().await;
    let id = lost(&shop).await;
    let mut bell = shop.outbox_bell.bell();
    bell.wait(Duration::ZERO).await;
    let done = turn(&mut reconciler(&shop)).await;
    assert_eq!((done.walked, done.found, done.repeated), (1, 1, 1));

    let [first, second] = requests(&shop, id).await.try_into().unwrap();
    assert_ne!(first["id"], second["id"]);
    for same in ["type", "subject", "data"] {
        assert_eq!(first[same], second[same], "{same}");
    }
    let trace = |event: &Value| event["traceparent"].as_str().unwrap()[..36].to_owned();
    assert_eq!(trace(&first), trace(&second), "one trace, another span");

    let (attempt, event_id, why): (i32, uuid::Uuid, String) =
        sqlx::query_as("select attempt, event_id, why from orders.repeated_request")
            .fetch_one(&shop.admin)
            .await
            .unwrap();
    assert_eq!((attempt, json!(event_id)), (1, second["id"].clone()));
    assert!(why.starts_with("NEW "), "{why}");
    let read = shop.get(7, &format!("/api/v1/orders/{id}")).await;
    let steps: Vec<&Value> = read.json["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["step"])
        .collect();
    assert_eq!(steps, ["placed", "payment_requested_again"]);
    assert_ne!(
        bell.wait(Duration::ZERO).await,
        messaging::doorbell::WokenBy::Poll,
        "the relays are told"
    );
    assert_eq!(shop.metrics.reconciled_orders.get(), 1);
    let stuck = stuck(&shop).await;
    assert_eq!(
        (stuck.len(), stuck[0].order_id, stuck[0].attempts),
        (1, id, 1)
    );
}

#[tokio::test]
async fn an_order_that_is_young_or_decided_is_left_alone() {
    let shop = Shop::open().await;
    let decided = lost(&shop).await;
    shop.settle(&[decided]).await;
    let young = order::reconciler(&shop.state, ReconcileSettings::default());
    let mut young = young;
    lost(&shop).await;
    assert_eq!(
        turn(&mut young).await,
        Turn::default(),
        "none is old enough"
    );
    young.release().await.unwrap();

    let done = turn(&mut reconciler(&shop)).await;
    assert_eq!((done.walked, done.found, done.repeated), (2, 1, 1));
    assert_eq!(requests(&shop, decided).await.len(), 1);
}

#[tokio::test]
async fn an_order_that_is_decided_under_the_reconcilers_hands_is_not_requested_again() {
    let shop = Shop::open().await;
    let id = lost(&shop).await;
    let mut settling = shop.writer.begin().await.unwrap();
    sqlx::query(
        "update orders.orders set status = 'FINISHED', version = 2, decided_at = now() where id = $1",
    )
    .bind(id.as_uuid())
    .execute(&mut *settling)
    .await
    .unwrap();
    let mut reconciler = reconciler(&shop);
    let waiting = turn(&mut reconciler);
    let deciding = async {
        somebody_waits(&shop).await;
        settling.commit().await.unwrap();
    };
    let (done, ()) = tokio::join!(waiting, deciding);
    assert_eq!((done.found, done.repeated), (1, 0));
    assert_eq!(turn(&mut reconciler).await.decided, 1);
    assert_eq!(stuck(&shop).await, []);
    assert_eq!(requests(&shop, id).await.len(), 1);
}

#[tokio::test]
async fn a_request_that_waits_in_the_outbox_is_not_lost() {
    let shop = Shop::open().await;
    let id = shop.placed(7).await;
    id_is_in_the_past(&shop, id).await;
    let mut reconciler = reconciler(&shop);
    let done = turn(&mut reconciler).await;
    assert_eq!((done.found, done.repeated), (1, 0), "visible, and no more");
    everything_is_published(&shop).await;
    assert_eq!(turn(&mut reconciler).await.repeated, 1);
    // The repeated one waits now.
    pauses_are_over(&shop).await;
    assert_eq!(turn(&mut reconciler).await.repeated, 0);
    everything_is_published(&shop).await;
    assert_eq!(turn(&mut reconciler).await.repeated, 1);
}

#[tokio::test]
async fn attempts_are_bounded_and_backed_off_and_the_order_stays_visible() {
    let shop = Shop::open().await;
    let id = lost(&shop).await;
    let mut reconciler = reconciler(&shop);
    for attempt in 1..=2 {
        assert_eq!(turn(&mut reconciler).await.repeated, 1, "{attempt}");
        everything_is_published(&shop).await;
        assert_eq!(
            turn(&mut reconciler).await.repeated,
            0,
            "not before the pause is over"
        );
        assert!(stuck(&shop).await[0].next_attempt_at.is_some());
        pauses_are_over(&shop).await;
    }
    let done = turn(&mut reconciler).await;
    assert_eq!((done.repeated, done.given_up), (0, 1));
    pauses_are_over(&shop).await;
    assert_eq!(
        turn(&mut reconciler).await,
        Turn::default(),
        "it is given up once"
    );
    assert_eq!(requests(&shop, id).await.len(), 3);
    let given_up = stuck(&shop).await;
    assert_eq!((given_up[0].order_id, given_up[0].attempts), (id, 2));
    assert_eq!(given_up[0].next_attempt_at, None);

    // Should it be decided after all, nothing is left to be seen.
    shop.settle(&[id]).await;
    assert_eq!(turn(&mut reconciler).await.decided, 1);
    assert_eq!(stuck(&shop).await, []);
}

#[tokio::test]
async fn of_two_replicas_one_works_and_the_other_takes_over_when_it_ends() {
    let shop = Shop::open().await;
    lost(&shop).await;
    let (mut first, mut second) = (reconciler(&shop), reconciler(&shop));
    assert_eq!(turn(&mut first).await.repeated, 1);
    assert_eq!(second.turn().await.unwrap(), None);
    first.release().await.unwrap();
    turn(&mut second).await;
    assert_eq!(first.turn().await.unwrap(), None);

    // The second is killed, or frozen: its lease ends by itself, and waking up it finds that another has it.
    shop.damage("update orders.reconciler set lease_until = now() - interval '1 ms'")
        .await;
    turn(&mut first).await;
    lost(&shop).await;
    assert_eq!(second.turn().await.unwrap(), None);
    assert_eq!(turn(&mut first).await.repeated, 1);
}

#[tokio::test]
async fn replicas_that_begin_at_the_same_time_repeat_a_request_once() {
    let shop = Shop::open().await;
    let id = lost(&shop).await;
    let mut replicas = [(); 4].map(|()| reconciler(&shop));
    let turns = replicas.iter_mut().map(Reconciler::turn);
    let turns = futures_util::future::join_all(turns).await;
    let worked = turns.iter().filter(|turn| turn.as_ref().unwrap().is_some());
    assert_eq!(worked.count(), 1);
    assert_eq!(requests(&shop, id).await.len(), 2);
}

#[tokio::test]
async fn a_reconciler_killed_in_the_middle_of_its_turn_has_done_nothing() {
    let shop = Shop::open().await;
    let id = lost(&shop).await;
    turn(&mut reconciler(&shop)).await;
    everything_is_published(&shop).await;
    pauses_are_over(&shop).await;
    lost(&shop).await;
    shop.damage("update orders.reconciler set lease_until = now() - interval '1 ms'")
        .await;
    let before = shop.contents().await;

    // The audit is the last it writes: mark, stuck orders and requests are written by then.
    let mut holding = shop.admin.begin().await.unwrap();
    sqlx::query("lock table orders.repeated_request in exclusive mode")
        .execute(&mut *holding)
        .await
        .unwrap();
    let mut killed = reconciler(&shop);
    let dying = killed.turn();
    let killing = async {
        let backend = somebody_waits(&shop).await;
        sqlx::query("select pg_terminate_backend($1)")
            .bind(backend)
            .execute(&shop.admin)
            .await
            .unwrap();
        holding.rollback().await.unwrap();
    };
    let (died, ()) = tokio::join!(dying, killing);
    assert!(matches!(died, Err(ReconcileError::Database(_))), "{died:?}");
    assert_eq!(shop.contents().await, before);

    let done = turn(&mut reconciler(&shop)).await;
    assert_eq!((done.walked, done.found, done.repeated), (1, 1, 2));
    assert_eq!(requests(&shop, id).await.len(), 3);
}

#[tokio::test]
async fn the_walk_goes_on_where_it_stopped_page_by_page_and_never_back() {
    let shop = Shop::open().await;
    shop.place_many(7, 7_000).await;
    everything_is_published(&shop).await;
    let last = OrderId::new();
    id_is_in_the_past(&shop, last).await;
    let mut first = reconciler(&shop);
    let done = turn(&mut first).await;
    assert_eq!(
        (done.walked, done.found, done.repeated),
        (5_000, 5_000, 500)
    );
    drop(first);
    shop.damage("update orders.reconciler set lease_until = now() - interval '1 ms'")
        .await;
    let mut second = reconciler(&shop);
    let done = turn(&mut second).await;
    assert_eq!((done.walked, done.found), (2_000, 2_000));
    assert_eq!(turn(&mut second).await.walked, 0);
}

#[tokio::test]
async fn decided_orders_leave_in_pages_and_others_are_not_held_up_by_them() {
    let shop = Shop::open().await;
    shop.place_many(7, 1_200).await;
    let id = OrderId::new();
    id_is_in_the_past(&shop, id).await;
    let mut reconciler = reconciler(&shop);
    assert_eq!(turn(&mut reconciler).await.found, 1_200);
    shop.damage("update orders.orders set status = 'FINISHED', version = 2, decided_at = now()")
        .await;
    // The round may be anywhere when they are decided.
    let mut left = 0;
    for _ in 0..6 {
        left += turn(&mut reconciler).await.decided;
    }
    assert_eq!(left, 1_200);
}

/// Waits until a statement of the service waits for a lock; gives the process id of its backend.
async fn somebody_waits(shop: &Shop) -> i32 {
    poll_until("a statement waits for a lock", SOON, async || {
        sqlx::query_scalar(
            "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' limit 1",
        )
        .fetch_optional(&shop.admin)
        .await
        .unwrap()
    })
    .await
}
