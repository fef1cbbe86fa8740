//! The list of entries, page by page.

use serde_json::{Value, json};

use crate::testing::{Shop, fresh_key, rubles};

const PATH: &str = "/api/v1/account/entries";

/// User 7 with this many entries of 1, 2, 3 … kopecks.
async fn shop_with(entries: i64) -> Shop {
    let shop = Shop::open().await;
    shop.customer(7, 0).await;
    for amount_minor in 1..=entries {
        shop.top_up(7, &fresh_key(), amount_minor).await;
    }
    shop
}

fn amounts(page: &Value) -> Vec<i64> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|entry| entry["amount"]["amount_minor"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn entries_come_newest_first_in_pages_that_neither_overlap_nor_leave_gaps() {
    let shop = shop_with(25).await;
    let first = shop.get(7, PATH).await.json();
    assert_eq!(amounts(&first), (6..=25).rev().collect::<Vec<_>>());
    let mut path = format!("{PATH}?limit=10");
    let mut seen = Vec::new();
    for full in [10, 10, 5] {
        let page = shop.get(7, &path).await.json();
        assert_eq!(amounts(&page).len(), full);
        seen.extend(amounts(&page));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{PATH}?limit=10&cursor={cursor}"),
            None => break,
        }
        // What comes in meanwhile belongs before the first page and shifts nothing.
        shop.top_up(7, &fresh_key(), 1_000).await;
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_last_page_has_no_next_even_when_it_is_full() {
    let shop = shop_with(4).await;
    let page = shop.get(7, &format!("{PATH}?limit=4")).await.json();
    assert_eq!(
        (amounts(&page).len(), &page["next_cursor"]),
        (4, &json!(null))
    );
}

#[tokio::test]
async fn an_entry_shows_what_it_left() {
    let shop = shop_with(2).await;
    let page = shop.get(7, PATH).await.json();
    assert_eq!(page["items"][0]["balance_after"], rubles(3));
    assert_eq!(page["items"][1]["balance_after"], rubles(1));
}

#[tokio::test]
async fn an_account_without_entries_has_an_empty_page_and_no_account_has_none() {
    let shop = Shop::open().await;
    assert_eq!(
        shop.get(7, PATH).await.problem(),
        (404, "account_not_found".into())
    );
    shop.customer(7, 0).await;
    let page = shop.get(7, PATH).await;
    assert_eq!(
        (page.status.as_u16(), page.json()),
        (200, json!({ "items": [], "next_cursor": null }))
    );
}

#[tokio::test]
async fn a_page_out_of_range_is_refused() {
    let shop = shop_with(1).await;
    for limit in [1, 100] {
        assert_eq!(
            shop.get(7, &format!("{PATH}?limit={limit}")).await.status,
            200
        );
    }
    for (query, code) in [
        ("limit=0", "limit_out_of_range"),
        ("limit=-1", "limit_out_of_range"),
        ("limit=101", "limit_out_of_range"),
        ("limit=ten", "invalid_query"),
        ("limit=99999999999999999999", "invalid_query"),
        ("cursor=", "cursor_invalid"),
        ("cursor=17", "cursor_invalid"),
        ("colour=blue", "invalid_query"),
    ] {
        let answer = shop.get(7, &format!("{PATH}?{query}")).await;
        assert_eq!(answer.problem(), (422, code.into()), "{query}");
    }
}

#[tokio::test]
async fn another_users_cursor_shows_only_ones_own_entries() {
    let shop = shop_with(3).await;
    shop.customer(8, 77).await;
    let page = shop.get(8, &format!("{PATH}?limit=1")).await.json();
    assert_eq!(page["next_cursor"], json!(null));
    let foreign = shop.get(7, &format!("{PATH}?limit=1")).await.json();
    let cursor = foreign["next_cursor"].as_str().unwrap();
    let page = shop.get(8, &format!("{PATH}?cursor={cursor}")).await.json();
    assert_eq!(page["items"], json!([]));
}
