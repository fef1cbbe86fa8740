//! Two relays of the order database, and nobody else: the outbox is written to by the test.

use std::time::Duration;

use sqlx::PgPool;
use tests::{Instance, Role, Service, Shop, TestDatabase, poll_until, shop::Layout};

pub(crate) const ONE: Role = Role::OrdersRelay(1);
pub(crate) const TWO: Role = Role::OrdersRelay(2);

/// Lanes have found an owner within this time, whatever happened to the last.
pub(crate) const OWNED_WITHIN: Duration = Duration::from_secs(40);

/// Everything written has arrived within this time after the last fault.
pub(crate) const ARRIVED_WITHIN: Duration = Duration::from_mins(1);

/// How many keys have events.
pub(crate) const KEYS: i32 = 320;

/// The shop, of which only relays run.
pub(crate) struct Relays {
    pub(crate) shop: Shop,
    admin: PgPool,
}

impl Relays {
    pub(crate) async fn start(instance: &Instance) -> Self {
        let shop = Shop::prepare(instance, Layout::Separately).await;
        shop.migrate().await;
        let admin = shop.database(Service::Orders).admin_pool();
        let relays = Self { shop, admin };
        for role in [ONE, TWO] {
            relays.shop.start_again(role).await;
        }
        relays.owned_by(2).await;
        relays
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        self.shop.database(Service::Orders)
    }

    /// Waits until so many relays own all lanes, in equal parts; says which.
    pub(crate) async fn owned_by(&self, owners: usize) -> Vec<String> {
        let what = format!("{owners} relays own all lanes");
        poll_until(&what, OWNED_WITHIN, async || {
            let lanes: Vec<(Option<String>, i64)> = sqlx::query_as(
                "select owner, count(*) from messaging.lane where lease_until > now() group by owner order by owner",
            )
            .fetch_all(&self.admin)
            .await
            .unwrap();
            let share = 64 / i64::try_from(owners).unwrap();
            let even = lanes.iter().all(|(owner, lanes)| owner.is_some() && *lanes == share);
            (even && lanes.len() == owners)
                .then(|| lanes.into_iter().filter_map(|(owner, _)| owner).collect())
        })
        .await
    }

    /// Waits until no lease ends earlier than so long after those there are now, which takes as long.
    pub(crate) async fn leases_are_renewed_for(&self, time: Duration) {
        let from: f64 = sqlx::query_scalar(
            "select extract(epoch from min(lease_until))::float8 from messaging.lane",
        )
        .fetch_one(&self.admin)
        .await
        .unwrap();
        poll_until("leases are renewed", 2 * OWNED_WITHIN, async || {
            let renewed: bool = sqlx::query_scalar(
                "select coalesce(extract(epoch from min(lease_until))::float8 > $1, false) from messaging.lane",
            )
            .bind(from + time.as_secs_f64())
            .fetch_one(&self.admin)
            .await
            .unwrap();
            renewed.then_some(())
        })
        .await;
    }
}
