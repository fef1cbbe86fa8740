//! A database restored from another cluster: its transaction numbers mean nothing here, and every retained row goes out.

use crate::support::World;

/// What a restore looks like: numbers far ahead of this cluster's counter, and lanes that knew another one.
async fn restore(world: &World) {
    sqlx::raw_sql(
        "update messaging.outbox
         set xid = (pg_current_xact_id()::text::bigint + case when id % 2 = 0 then 1000000 else -1 end)::text::xid8;
         update messaging.lane
         set system_identifier = 1, settled = '900000000:900000000:', settled_id = 900000000",
    )
    .execute(&world.db.admin_pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn every_retained_row_is_published_also_those_numbered_ahead_of_this_cluster() {
    let world = World::new().await;
    let orders = world.append(40).await;
    restore(&world).await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    assert_eq!(relay.step(&world.stop).await.unwrap(), 40);
    assert_eq!(world.arrived().await.len(), orders.len());
    let later = world.append(5).await;
    assert_eq!(relay.step(&world.stop).await.unwrap(), later.len());
}

#[tokio::test]
async fn rows_keep_their_numbers_unless_the_database_was_restored() {
    let world = World::new().await;
    world.append(3).await;
    let numbers = "select array_agg(xid::text order by id) from messaging.outbox";
    let admin = world.db.admin_pool();
    let before: Vec<String> = sqlx::query_scalar(numbers).fetch_one(&admin).await.unwrap();
    let relay = world.db.pool(tests::Login::Relay);
    sqlx::query("select * from messaging.adopt_restored(0, 1000)")
        .execute(&relay)
        .await
        .unwrap();
    let after: Vec<String> = sqlx::query_scalar(numbers).fetch_one(&admin).await.unwrap();
    assert_eq!(before, after);
}
