//! Two versions of the shop at work at once, over one broker and the same databases, and a roll from one to the other
//! and back.
//!
//! The other version's messages lack what is optional and carry a field that this one does not know
//! (`contracts::other_version`), as those of the version before, or of the one to come, may; and its schema has more in it
//! (`order::schema`).

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::{join, join_all};
use sqlx::PgPool;
use tests::{Customer, Role, Service, Shop, Version, poll_until, shop::Layout};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::load::{keeps_ordering, nothing_was_lost_or_doubled, start_unhealed};

const CUSTOMERS: usize = 4;
const PAYABLE: i64 = 100;

const MET_WITHIN: Duration = Duration::from_mins(1);

/// One of each.
const ONE_HALF: [Role; 4] = [
    Role::Order(1),
    Role::Payment(1),
    Role::OrdersRelay(1),
    Role::PaymentsRelay(1),
];

/// The other of each.
const OTHER_HALF: [Role; 4] = [
    Role::Order(2),
    Role::Payment(2),
    Role::OrdersRelay(2),
    Role::PaymentsRelay(2),
];

#[tokio::test]
async fn two_versions_at_work_at_once_understand_each_other_and_roll_both_ways() {
    let shop = start_unhealed(Layout::InPairs).await;
    let entrance = shop.entrance();
    let customers =
        join_all((0..CUSTOMERS).map(|_| Customer::with_balance(&entrance, PAYABLE))).await;
    let over = AtomicBool::new(false);
    let rolling = async {
        // Expanded first: from here on this version works on the schema of the other.
        shop.migrate_to(Version::Other).await;
        killed(&shop, &OTHER_HALF, Version::Other).await;
        both_are_at_work(&shop).await;
        stopped(&shop, &ONE_HALF, Version::Other).await;
        killed(&shop, &ONE_HALF, Version::This).await;
        both_are_at_work(&shop).await;
        stopped(&shop, &OTHER_HALF, Version::This).await;
        over.store(true, Ordering::Relaxed);
    };
    let placing = join_all(
        customers
            .iter()
            .map(|customer| keeps_ordering(customer, &over)),
    );
    let ((), placed) = join(rolling, placing).await;
    nothing_was_lost_or_doubled(&shop, &customers, PAYABLE, &placed).await;
}

/// Rolls processes to a version without a word of warning.
async fn killed(shop: &Shop, roles: &[Role], version: Version) {
    for role in roles {
        shop.kill(*role);
        shop.start_as(*role, version).await;
    }
}

/// Rolls processes to a version as an update does.
async fn stopped(shop: &Shop, roles: &[Role], version: Version) {
    for role in roles {
        shop.stop(*role).await;
        shop.start_as(*role, version).await;
    }
}

/// Waits until, from now on, a payment service of each version has answered requests of each version, and every order
/// replica has settled answers.
async fn both_are_at_work(shop: &Shop) {
    let [orders, payments] = Service::ALL.map(|service| shop.database(service).admin_pool());
    let since: OffsetDateTime = sqlx::query_scalar("select clock_timestamp()")
        .fetch_one(&orders)
        .await
        .unwrap();
    let settled_before = join_all([1, 2].map(|replica| settled(shop, replica))).await;
    poll_until("each version has answered each", MET_WITHIN, async || {
        let of_this = written_by(&payments, since, Version::This).await;
        let of_other = written_by(&payments, since, Version::Other).await;
        for version in [Version::This, Version::Other] {
            let requests = written_by(&orders, since, version).await;
            if requests.is_disjoint(&of_this) || requests.is_disjoint(&of_other) {
                return None;
            }
        }
        let settled = join_all([1, 2].map(|replica| settled(shop, replica))).await;
        let mut grown = settled_before.iter().zip(&settled);
        grown.all(|(before, now)| now > before).then_some(())
    })
    .await;
}

/// The orders about which an outbox has had an event of this version since an instant.
async fn written_by(outbox: &PgPool, since: OffsetDateTime, version: Version) -> BTreeSet<Uuid> {
    let keys: Vec<Uuid> = sqlx::query_scalar(
        "select key from messaging.outbox
         where appended_at > $1 and (position('\"gift_wrap\"' in convert_from(body, 'utf8')) > 0) = $2",
    )
    .bind(since)
    .bind(version == Version::Other)
    .fetch_all(outbox)
    .await
    .unwrap();
    keys.into_iter().collect()
}

/// How many answers this order replica has settled since it was started.
async fn settled(shop: &Shop, replica: u8) -> u64 {
    let metrics = shop.metrics(Role::Order(replica)).await;
    let fresh = metrics
        .lines()
        .find(|line| line.starts_with("gozon_inbox_messages_total{") && line.contains("\"fresh\""));
    fresh
        .and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or_default()
}
