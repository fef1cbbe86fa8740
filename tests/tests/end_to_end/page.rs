//! The page, as far as HTTP shows it; what happens in it is the browser test's.

use tests::{Shop, entrance::Call};

#[tokio::test]
async fn the_page_is_fresh_and_its_assets_are_kept_for_ever() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let page = entrance
        .send(Call::get("/").header("accept", "text/html"))
        .await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("cache-control").contains("no-cache"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");

    let scripts: Vec<_> = page
        .text
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(!scripts.is_empty(), "{}", page.text);
    for script in scripts {
        let path = format!("/{}", script.trim_start_matches(['.', '/']));
        let asset = entrance.send(Call::get(path)).await;
        assert_eq!(asset.status, 200, "{script}");
        assert!(
            asset.header("cache-control").contains("immutable"),
            "{script}"
        );
        assert!(asset.header("content-type").contains("javascript"));
    }
}

#[tokio::test]
async fn only_a_person_on_the_way_to_a_page_gets_the_page() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let ask = |path: &str, accept: &str| {
        entrance.send(Call::get(path.to_owned()).header("accept", accept))
    };
    let deep = ask("/orders", "text/html,application/xhtml+xml").await;
    assert_eq!(deep.status, 200);
    assert!(deep.header("content-type").starts_with("text/html"));
    assert_eq!(ask("/nowhere.js", "*/*").await.status, 404);
    assert_eq!(ask("/..%2f..%2fetc/passwd", "*/*").await.status, 404);
    ask("/api/nowhere", "text/html")
        .await
        .expect_problem(404, "not_found");
}
