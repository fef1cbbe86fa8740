//! The executable's command line, where it has to say what is wrong.

use tests::{Shop, gozon};

#[tokio::test]
async fn the_smoke_check_tells_a_working_shop_from_a_missing_one() {
    let shop = Shop::shared().await;
    let address = shop.entrance().url("/").to_string();
    let (status, text) = gozon(&["smoke", &address], &[]).await;
    assert!(status.success(), "{text}");
    let (status, text) = gozon(&["smoke", "http://127.0.0.1:9"], &[]).await;
    assert!(!status.success(), "{text}");
}

#[tokio::test]
async fn the_smoke_check_asks_each_service_at_an_address_of_its_own() {
    let shop = Shop::shared().await;
    let there = shop.entrance().url("/").to_string();
    let elsewhere = "http://127.0.0.1:9";
    for (web, order, payment, failure) in [
        (&*there, &*there, &*there, None),
        (elsewhere, &there, &there, Some("not signed in")),
        (&there, elsewhere, &there, Some("not order placed")),
        (&there, &there, elsewhere, Some("not account open")),
    ] {
        let arguments = [
            "smoke",
            web,
            "--order-address",
            order,
            "--payment-address",
            payment,
        ];
        let (status, text) = gozon(&arguments, &[]).await;
        assert_eq!(status.success(), failure.is_none(), "{text}");
        assert!(text.contains(failure.unwrap_or("ok: order")), "{text}");
    }
}

#[tokio::test]
async fn a_missing_setting_is_named() {
    for (arguments, name) in [
        (&["order"][..], "GOZON_SESSION_KEYS"),
        (&["relay", "--database", "orders"], "GOZON_ORDERS_RELAY_URL"),
        (&["migrate"], "GOZON_AMQP_OWNER_URL"),
    ] {
        let (status, text) = gozon(arguments, &[("GOZON_PROFILE", "demo")]).await;
        assert!(!status.success(), "{text}");
        assert!(text.contains(name), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn the_demo_identity_is_refused_in_production() {
    let environment = [("GOZON_PROFILE", "production"), ("GOZON_IDENTITY", "demo")];
    let (status, text) = gozon(&["web"], &environment).await;
    assert!(!status.success(), "{text}");
    assert!(text.contains("demo identity"), "{text}");
}

#[tokio::test]
async fn help_lists_every_role() {
    let (status, text) = gozon(&["--help"], &[]).await;
    assert!(status.success(), "{text}");
    for role in [
        "order",
        "payment",
        "relay",
        "web",
        "migrate",
        "audit",
        "smoke",
        "all",
        "outbox",
        "dead-letters",
        "trace",
        "metrics",
    ] {
        assert!(text.contains(&format!("\n  {role} ")), "{role}: {text}");
    }
}
