//! A customer of the shop, over `/api/v1` alone.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{Answer, Entrance, Follow, entrance::Call, poll_until};

/// Somebody with a user id and a session.
#[derive(Debug, Clone)]
pub struct Customer {
    entrance: Entrance,
    /// Who it is.
    pub user_id: i64,
    /// The session.
    pub token: String,
}

/// An order as the shop shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: Uuid,
    /// The number people see.
    pub number: i64,
    /// Whose it is.
    pub user_id: i64,
    /// What it is for.
    pub description: String,
    /// What it costs.
    pub amount: Money,
    /// `NEW`, `FINISHED`, `REFUNDING` or `CANCELLED`.
    pub status: String,
    /// Why it was cancelled.
    pub reason: Option<String>,
    /// Counts its changes.
    pub version: i64,
    /// When it was placed.
    pub created_at: String,
    /// When it ended.
    pub decided_at: Option<String>,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Money {
    /// Minor units.
    pub amount_minor: i64,
    /// The currency's code.
    pub currency: String,
}

/// An entry of an account's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// `TOP_UP`, `PAYMENT` or `REFUND`.
    pub kind: String,
    /// Negative for a payment.
    pub amount: Money,
    /// The balance once it was booked.
    pub balance_after: Money,
    /// What was paid or given back.
    pub order_id: Option<Uuid>,
}

impl Order {
    /// True while it waits for nothing: it is decided and, if it was given up, refunded.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !matches!(self.status.as_str(), "NEW" | "REFUNDING")
    }

    /// True once it was given up and its money is back.
    #[must_use]
    pub fn is_refunded(&self) -> bool {
        self.reason.as_deref() == Some("refunded")
    }
}

impl Customer {
    /// A user id nobody else in this test program has.
    pub fn new_user_id() -> i64 {
        static NEXT: AtomicI64 = AtomicI64::new(1_000);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Somebody new, signed in.
    pub async fn new(entrance: &Entrance) -> Self {
        Self::sign_in(entrance, Self::new_user_id()).await
    }

    /// Somebody new with an account and this many minor units on it.
    pub async fn with_balance(entrance: &Entrance, amount_minor: i64) -> Self {
        let customer = Self::new(entrance).await;
        customer.open_account().await;
        if amount_minor > 0 {
            customer.top_up(amount_minor).await;
        }
        customer
    }

    /// A session for a user id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn sign_in(entrance: &Entrance, user_id: i64) -> Self {
        let call = Call::post("/api/v1/session").json(&json!({ "user_id": user_id }));
        let session = entrance.send(call).await.expect(200);
        let token = session["token"]
            .as_str()
            .expect("a session has a token")
            .to_owned();
        Self {
            entrance: entrance.clone(),
            user_id,
            token,
        }
    }

    /// The front door it uses.
    #[must_use]
    pub const fn entrance(&self) -> &Entrance {
        &self.entrance
    }

    /// Sends a request with its session.
    pub async fn send(&self, call: Call) -> Answer {
        self.entrance.send(call.bearer(&self.token)).await
    }

    /// Reads a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Call::get(path)).await
    }

    /// Opens its account; opening it twice is no error.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn open_account(&self) {
        let call = Call::post("/api/v1/account")
            .header("idempotency-key", new_key())
            .json(&json!({}));
        let answer = self.send(call).await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
    }

    /// Puts money on its account.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn top_up(&self, amount_minor: i64) {
        let call = Call::post("/api/v1/account/top-ups")
            .header("idempotency-key", new_key())
            .json(&json!({ "amount": rub(amount_minor) }));
        let answer = self.send(call).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    /// Its balance in minor units.
    ///
    /// # Panics
    /// When it has no account.
    pub async fn balance(&self) -> i64 {
        let account = self.get("/api/v1/account").await.expect(200);
        account["balance"]["amount_minor"]
            .as_i64()
            .expect("a balance is an integer")
    }

    /// Places an order.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn place(&self, amount_minor: i64) -> Order {
        let answer = self.send(order_call(&new_key(), amount_minor)).await;
        read(answer.expect(201))
    }

    /// Places an order through whatever happens to the shop: where no answer or a server's error comes, it asks again
    /// with the same key, as a careful client does. The order exists once it returns.
    ///
    /// # Panics
    /// When the shop refuses it, or does not accept it in time.
    pub async fn place_surely(&self, amount_minor: i64, within: Duration) -> Order {
        let key = new_key();
        poll_until("the shop accepts an order", within, async || {
            let call = order_call(&key, amount_minor).bearer(&self.token);
            let answer = self.entrance.try_send(call).await.ok()?;
            (answer.status < 500).then(|| read(answer.expect(201)))
        })
        .await
    }

    /// Gives a paid order up.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn cancel(&self, order: &Order) -> Order {
        let answer = self.send(cancel_call(&new_key(), order)).await;
        read(answer.expect(202))
    }

    /// Gives a paid order up through whatever happens to the shop, as [`Self::place_surely`] places one.
    ///
    /// # Panics
    /// When the shop refuses it, or does not accept it in time.
    pub async fn cancel_surely(&self, order: &Order, within: Duration) -> Order {
        let key = new_key();
        poll_until("the shop takes an order back", within, async || {
            let call = cancel_call(&key, order).bearer(&self.token);
            let answer = self.entrance.try_send(call).await.ok()?;
            (answer.status < 500).then(|| read(answer.expect(202)))
        })
        .await
    }

    /// One order as it is now.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn order(&self, id: Uuid) -> Order {
        read(self.get(&format!("/api/v1/orders/{id}")).await.expect(200))
    }

    /// All its orders, newest first.
    pub async fn orders(&self) -> Vec<Order> {
        self.pages("/api/v1/orders").await
    }

    /// The same; none while the shop cannot say.
    pub async fn try_orders(&self) -> Option<Vec<Order>> {
        self.try_pages("/api/v1/orders").await.ok()
    }

    /// All entries of its ledger, newest first.
    pub async fn entries(&self) -> Vec<Entry> {
        self.pages("/api/v1/account/entries").await
    }

    /// Opens a socket that follows its orders; from a cursor on, if one is given.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn follow(&self, cursor: Option<&str>) -> Follow {
        Follow::open(&self.entrance, &self.token, cursor)
            .await
            .unwrap_or_else(|error| panic!("the socket is refused: {error}"))
    }

    /// Waits until these orders have ended and gives them in the order asked for.
    ///
    /// # Panics
    /// When one does not end in time.
    pub async fn ended(&self, orders: &[Order], within: Duration) -> Vec<Order> {
        poll_until("all orders end", within, async || {
            let all = self.try_orders().await?;
            let found: Vec<Order> = orders
                .iter()
                .filter_map(|order| all.iter().find(|found| found.id == order.id).cloned())
                .filter(Order::has_ended)
                .collect();
            (found.len() == orders.len()).then_some(found)
        })
        .await
    }

    /// Checks everything that must hold between its orders, its ledger and its balance once nothing is in flight.
    /// Gives how many orders finished.
    ///
    /// # Panics
    /// When something does not hold.
    pub async fn check_books(&self, topped_up: i64) -> usize {
        let balance = self.balance().await;
        let entries = self.entries().await;
        let orders = self.orders().await;
        let sum = |kind: &str| -> i64 {
            entries
                .iter()
                .filter(|entry| entry.kind == kind)
                .map(|entry| entry.amount.amount_minor)
                .sum()
        };
        assert!(balance >= 0, "the balance is {balance}");
        assert_eq!(sum("TOP_UP"), topped_up);
        assert_eq!(balance, topped_up + sum("PAYMENT") + sum("REFUND"));
        if let Some(newest) = entries.first() {
            assert_eq!(newest.balance_after.amount_minor, balance);
        }
        for order in &orders {
            assert!(order.has_ended(), "{order:?}");
            // Newest first.
            let booked: Vec<_> = entries
                .iter()
                .filter(|entry| entry.order_id == Some(order.id))
                .map(|entry| (entry.kind.as_str(), entry.amount.amount_minor))
                .collect();
            let paid = ("PAYMENT", -order.amount.amount_minor);
            let refunded = ("REFUND", order.amount.amount_minor);
            match order.status.as_str() {
                "FINISHED" => assert_eq!(booked, [paid], "{order:?}"),
                _ if order.is_refunded() => assert_eq!(booked, [refunded, paid], "{order:?}"),
                _ => assert!(booked.is_empty(), "{order:?} {booked:?}"),
            }
        }
        let refunded = orders.iter().filter(|order| order.is_refunded()).count();
        let finished = orders
            .iter()
            .filter(|order| order.status == "FINISHED")
            .count();
        let payments = entries.iter().filter(|entry| entry.kind == "PAYMENT");
        assert_eq!(payments.count(), finished + refunded);
        finished
    }

    async fn pages<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Vec<T> {
        self.try_pages(path)
            .await
            .unwrap_or_else(|answer| panic!("{path}: {answer}"))
    }

    async fn try_pages<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<Vec<T>, String> {
        const MOST_PAGES: usize = 100;
        let mut items = Vec::new();
        let mut query = "limit=100".to_owned();
        for _ in 0..MOST_PAGES {
            let call = Call::get(format!("{path}?{query}")).bearer(&self.token);
            let answer = self.entrance.try_send(call).await;
            let answer = answer.map_err(|error| error.to_string())?;
            if answer.status != 200 {
                return Err(format!("{} {}", answer.status, answer.text));
            }
            let mut page = answer.json();
            items.extend(read::<Vec<T>>(page["items"].take()));
            let Some(cursor) = page["next_cursor"].as_str() else {
                return Ok(items);
            };
            query = url::form_urlencoded::Serializer::new("limit=100".to_owned())
                .append_pair("cursor", cursor)
                .finish();
        }
        Err(format!("more than {MOST_PAGES} pages"))
    }
}

/// A new idempotency key.
#[must_use]
pub fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// Roubles from minor units, as JSON.
#[must_use]
pub fn rub(amount_minor: i64) -> serde_json::Value {
    json!({ "amount_minor": amount_minor, "currency": "RUB" })
}

/// The request that places an order.
#[must_use]
pub fn order_call(key: &str, amount_minor: i64) -> Call {
    Call::post("/api/v1/orders")
        .header("idempotency-key", key)
        .json(&json!({ "amount": rub(amount_minor), "description": "A lamp" }))
}

/// The request that gives an order up as it is known.
#[must_use]
pub fn cancel_call(key: &str, order: &Order) -> Call {
    Call::post(format!("/api/v1/orders/{}/cancel", order.id))
        .header("idempotency-key", key)
        .header("if-match", format!("\"{}\"", order.version))
}

/// Reads what an answer holds.
///
/// # Panics
/// When it has another shape.
#[must_use]
pub fn read<T: for<'de> Deserialize<'de>>(json: serde_json::Value) -> T {
    let shown = json.to_string();
    serde_json::from_value(json).unwrap_or_else(|error| panic!("{error}: {shown}"))
}
