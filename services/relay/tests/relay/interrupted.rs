//! A relay whose database connection fails: it begins anew, and keeps no lane from the others.

use std::collections::HashMap;

use tests::poll_until;
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, World};

#[tokio::test]
async fn lanes_that_a_relay_forgot_and_need_not_take_again_are_free_for_another() {
    let world = World::new().await;
    let (stop, second_stop) = (CancellationToken::new(), CancellationToken::new());
    let first = tokio::spawn(world.relay("first").run(stop.clone()));
    owned(&world, &[("first", 64)]).await;
    // Another relay comes in the very moment in which the first one loses its database connection.
    let cut: bool = sqlx::query_scalar(
        "with joined as (insert into messaging.relay (name) values ('second') returning name)
         select bool_or(pg_terminate_backend(pid)) from pg_stat_activity, joined
         where datname = current_database() and usename = $1",
    )
    .bind(world.db.role(tests::Login::Relay))
    .fetch_one(&world.db.admin_pool())
    .await
    .unwrap();
    assert!(cut);
    let second = tokio::spawn(world.relay("second").run(second_stop.clone()));
    owned(&world, &[("first", 32), ("second", 32)]).await;
    let orders = world.append(200).await;
    world.all_arrived(&orders).await;
    for (stop, running) in [(stop, first), (second_stop, second)] {
        stop.cancel();
        running.await.unwrap();
    }
}

async fn owned(world: &World, wanted: &[(&str, i64)]) {
    let wanted = wanted
        .iter()
        .map(|(name, lanes)| ((*name).to_owned(), *lanes));
    let wanted: HashMap<String, i64> = wanted.collect();
    poll_until("the lanes have these owners", DEADLINE, async || {
        (world.owners().await == wanted).then_some(())
    })
    .await;
}
