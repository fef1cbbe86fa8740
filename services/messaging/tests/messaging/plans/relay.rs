//! What a relay writes: its leases, how far it has come, and what it published.

use tests::{
    Login,
    plan::{explain, prepare, run, statement},
    poll_until,
};

use uuid::Uuid;

use super::{execute, planned};
use crate::support::{DEADLINE, database};

/// The statements that a relay repeats every second and every half second.
#[tokio::test]
async fn renewals_and_write_backs_find_lanes_by_their_key_and_do_not_become_dearer() {
    let db = database().await;
    let mut relay = db.pool(Login::Relay).acquire().await.unwrap();
    let crate_folder = env!("CARGO_MANIFEST_DIR");
    let taking = statement(
        crate_folder,
        &["update messaging.lane", "for update skip locked"],
    );
    prepare(&mut relay, "taking", &taking).await;
    let renewal = statement(
        crate_folder,
        &["set lease_until = now() + make_interval(secs => $4)\n"],
    );
    prepare(&mut relay, "renewal", &renewal).await;
    let write_back = statement(crate_folder, &["set settled = $4::text::pg_snapshot"]);
    prepare(&mut relay, "write_back", &write_back).await;
    let taking = explain(
        &mut relay,
        "taking",
        &["one", "64", "3", "1:1:", "{}", "fence", "{}"],
    )
    .await;
    taking.assert_scans_no_table();
    let lanes = format!(
        "{{{}}}",
        (0..64)
            .map(|it| it.to_string())
            .collect::<Vec<_>>()
            .join(",")
    );
    let epochs = format!("{{{}}}", ["1"; 64].join(","));
    let settled = ["one", &lanes, &epochs, "7:9:7", "5", "7:12:7", "8"];
    let renewed = ["one", &lanes, &epochs, "3"];
    let first = explain(&mut relay, "renewal", &renewed).await;
    first.assert_scans_no_table();
    for _ in 0..300 {
        explain(&mut relay, "write_back", &settled)
            .await
            .assert_scans_no_table();
        explain(&mut relay, "renewal", &renewed).await;
    }
    // A long transaction anywhere on the server keeps old versions for a while.
    poll_until(
        "a renewal costs what the first one did",
        DEADLINE,
        async || {
            let last = explain(&mut relay, "renewal", &renewed).await;
            (last.buffers() <= 2 * first.buffers()).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn writing_the_publish_log_reads_no_table_and_fires_no_trigger() {
    let db = database().await;
    let mut relay = planned(&db, Login::Relay, &["insert into messaging.publish_log"]).await;
    execute(
        &db.admin_pool(),
        "insert into messaging.publish_log (published_at, relay, type, lanes, first_id, last_id, first_event, last_event,
                                            event_ids, attempts, outcome)
         select now(), 'one', 'order.placed.v1', '{1}', n, n, id, id, array[id], 1, 'confirmed'
         from generate_series(1, 30000) as n, lateral (select gen_random_uuid() as id) as event",
    )
    .await;
    let (now, ids) = (
        "{now,now}",
        format!("{{{},{}}}", Uuid::now_v7(), Uuid::now_v7()),
    );
    let values = [
        now,
        now,
        "{one,one}",
        "{order.placed.v1,order.placed.v1}",
        "{1,2}",
        "{1,2}",
        &ids,
        &ids,
        "{1,1}",
        "{confirmed,confirmed}",
        "{7,9}",
        "{1,1}",
        "{1,2}",
        "{1,2}",
        &ids,
        "{1,2}",
        "{1,2}",
        now,
    ];
    let plan = run(&mut relay, &values).await;
    for never in ["Scan using", "Seq Scan", "Bitmap", "Trigger"] {
        assert!(!plan.0.contains(never), "{}", plan.0);
    }
}
