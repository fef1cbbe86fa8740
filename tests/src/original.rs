//! A client written for the original system: its paths, its numbers, no session.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    Answer, Customer, Entrance,
    entrance::Call,
    follow::{Socket, next_text, open_socket},
};

/// Somebody who uses the original's contract.
#[derive(Debug, Clone)]
pub struct Original {
    entrance: Entrance,
    /// Who it is.
    pub user_id: i64,
}

impl Original {
    /// Somebody new.
    #[must_use]
    pub fn new(entrance: &Entrance) -> Self {
        Self {
            entrance: entrance.clone(),
            user_id: Customer::new_user_id(),
        }
    }

    /// Opens an account.
    pub async fn create_account(&self) -> Answer {
        let body = json!({ "user_id": self.user_id });
        self.post("/api/payments/accounts", &body.to_string()).await
    }

    /// Puts money on it; the amount is a JSON number as written.
    pub async fn top_up(&self, amount: &str) -> Answer {
        let body = format!(r#"{{"user_id": {}, "amount": {amount}}}"#, self.user_id);
        self.post("/api/payments/accounts/topup", &body).await
    }

    /// Asks for the balance.
    pub async fn account(&self) -> Answer {
        let path = format!("/api/payments/accounts/{}", self.user_id);
        self.entrance.send(Call::get(path)).await
    }

    /// Places an order; the amount is a JSON number as written.
    pub async fn try_order(&self, amount: &str) -> Answer {
        let body = format!(
            r#"{{"user_id": {}, "amount": {amount}, "description": "test"}}"#,
            self.user_id
        );
        self.post("/api/orders/orders", &body).await
    }

    /// Places an order and gives its number.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn order(&self, amount: &str) -> i64 {
        let order = self.try_order(amount).await.expect(200);
        assert_eq!(order["status"], "NEW", "{order}");
        order["id"].as_i64().expect("an order has a number")
    }

    /// Everybody's orders.
    ///
    /// # Panics
    /// When they are not given as a bare array.
    pub async fn orders(&self) -> Vec<Value> {
        let list = self
            .entrance
            .send(Call::get("/api/orders/orders"))
            .await
            .expect(200);
        list.as_array().expect("a bare array").clone()
    }

    /// The user's socket, at one of the two paths.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn socket(&self, prefix: &str) -> OriginalSocket {
        let url = self.entrance.url(&format!("{prefix}/{}", self.user_id));
        let socket = open_socket(url, &[]).await.expect("the socket opens");
        OriginalSocket { socket }
    }

    /// Sends a body to a path.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        let call = Call::post(path).body("application/json", body);
        self.entrance.send(call).await
    }
}

/// An open socket of the original's contract.
pub struct OriginalSocket {
    socket: Socket,
}

impl OriginalSocket {
    /// The next decision.
    ///
    /// # Panics
    /// When the socket closes or stays silent.
    pub async fn next(&mut self) -> Value {
        let text = next_text(&mut self.socket)
            .await
            .expect("the socket goes on");
        serde_json::from_str(&text).expect("a frame is JSON")
    }
}

/// The original's acceptance scenario: account, top-up of 100, an order of 200 that is too dear, five simultaneous orders of
/// 100 of which one is paid.
///
/// # Panics
/// When anything is otherwise.
pub async fn acceptance_scenario(user: &Original, socket_path: &str) {
    assert_eq!(
        user.create_account().await.expect(200),
        json!({"status": "created"})
    );
    assert_eq!(
        user.top_up("100").await.expect(200),
        json!({"status": "ok"})
    );
    assert_eq!(user.account().await.expect(200), json!({"balance": 100.0}));

    let mut socket = user.socket(socket_path).await;
    let too_dear = user.order("200").await;
    let decision = socket.next().await;
    assert_eq!(
        decision,
        json!({"order_id": too_dear, "status": "CANCELLED", "user_id": user.user_id})
    );

    let mut five = join_all((0..5).map(|_| user.order("100"))).await;
    five.sort_unstable();
    let mut decided = BTreeMap::new();
    while decided.len() < five.len() {
        let decision = socket.next().await;
        assert_eq!(decision["user_id"], user.user_id);
        let number = decision["order_id"]
            .as_i64()
            .expect("an order has a number");
        decided.insert(
            number,
            decision["status"]
                .as_str()
                .expect("a decision says what")
                .to_owned(),
        );
    }
    assert_eq!(decided.keys().copied().collect::<Vec<_>>(), five);
    let count = |status| {
        decided
            .values()
            .filter(|decided| *decided == status)
            .count()
    };
    assert_eq!(
        (count("FINISHED"), count("CANCELLED")),
        (1, 4),
        "{decided:?}"
    );
    assert_eq!(user.account().await.expect(200), json!({"balance": 0.0}));

    let listed = user.orders().await;
    decided.insert(too_dear, "CANCELLED".to_owned());
    for (number, status) in decided {
        let order: &Value = listed
            .iter()
            .find(|order| order["id"] == number)
            .expect("a new order is on the list");
        let amount = if number == too_dear { 200.0 } else { 100.0 };
        assert_eq!(
            order,
            &json!({
                "id": number,
                "user_id": user.user_id,
                "description": "test",
                "amount": amount,
                "status": status,
            })
        );
    }
}
