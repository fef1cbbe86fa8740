//! How the shop starts: whoever comes too early waits, and whoever migrates again changes nothing.

use std::time::Duration;

use tests::{
    Customer, Instance, Role, Shop, http_client, poll_until, reqwest::StatusCode, shop::Layout,
};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_process_started_before_the_schema_is_there_waits_for_it() {
    let shop = Shop::prepare(&Instance::OfThisRun, Layout::Together).await;
    shop.launch_all();
    let admin = shop.admin_url(Role::All);
    let http = http_client();
    let ask = async |path: &str| {
        let answer = http.get(admin.join(path).unwrap()).send().await;
        answer.ok().map(|answer| answer.status())
    };
    // It lives, and says that it is not ready.
    poll_until("the process lives", SOON, async || {
        (ask("/livez").await? == StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(ask("/readyz").await, Some(StatusCode::SERVICE_UNAVAILABLE));
    shop.migrate().await;
    shop.all_ready().await;
    let customer = Customer::with_balance(&shop.entrance(), 1).await;
    let order = customer.place(1).await;
    customer.ended(&[order], SOON).await;
    assert_eq!(customer.check_books(1).await, 1);

    // Again, with everything running: nothing changes and nobody notices.
    shop.migrate().await;
    assert!(shop.is_ready(Role::All).await);
    assert_eq!(customer.check_books(1).await, 1);
}
