//! What a request is addressed to: ids, queries, paths and methods.

use tests::{entrance::Call, reqwest::Method};

use super::customer;

#[tokio::test]
async fn an_id_nobody_has_is_not_found() {
    let (_shop, customer) = customer().await;
    for id in [
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "00000000-0000-0000-0000-000000000000",
        "not-a-uuid",
        "17",
        "%00",
        "%F0%9F%8E%81",
        "..%2f..",
        "01890a5d-ac96-774b-bcce-b302099a80577777",
    ] {
        let answer = customer.get(&format!("/api/v1/orders/{id}")).await;
        answer.expect_problem(404, "order_not_found");
    }
}

#[tokio::test]
async fn a_limit_out_of_range_is_refused() {
    let (_shop, customer) = customer().await;
    for path in ["/api/v1/orders", "/api/v1/account/entries"] {
        for limit in ["0", "101", "-1"] {
            let answer = customer.get(&format!("{path}?limit={limit}")).await;
            answer.expect_problem(422, "limit_out_of_range");
        }
        for query in [
            "limit=ten",
            "limit=1.5",
            "limit=99999999999999999999",
            "cursor=nonsense",
            "cursor=%00",
            "colour=blue",
        ] {
            let answer = customer.get(&format!("{path}?{query}")).await;
            assert!(
                matches!(answer.status, 400 | 422),
                "{path}?{query}: {} {}",
                answer.status,
                answer.text
            );
            let code = answer.json()["code"].as_str().unwrap().to_owned();
            answer.expect_problem(answer.status, &code);
        }
    }
}

#[tokio::test]
async fn an_unknown_path_or_method_is_a_problem_too() {
    let (_shop, customer) = customer().await;
    for path in ["/api/v1/nowhere", "/api/nowhere", "/api/v2/orders", "/api/"] {
        customer.get(path).await.expect_problem(404, "not_found");
    }
    for (method, path) in [
        (Method::DELETE, "/api/v1/orders"),
        (Method::PUT, "/api/v1/account"),
        (
            Method::PATCH,
            "/api/v1/orders/01890a5d-ac96-774b-bcce-b302099a8057",
        ),
        (Method::GET, "/api/v1/account/top-ups"),
    ] {
        let call = Call::new(method, path);
        customer
            .send(call)
            .await
            .expect_problem(405, "method_not_allowed");
    }
}
