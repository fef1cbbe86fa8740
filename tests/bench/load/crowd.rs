//! The customers: signed in, and most of them with money.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::{task::JoinSet, time::timeout};
use uuid::Uuid;

use crate::{arguments::Arguments, connection::Answer, pool::Pool};

/// Requests at once while the crowd is made.
const AT_ONCE: usize = 64;

/// One customer is signed in, or has an account and money, within this time.
const CUSTOMER_WITHIN: Duration = Duration::from_secs(30);

/// What a customer with money has: enough for a thousand million orders.
const FUNDS_MINOR: i64 = 100_000_000_000;

/// How often the terminal hears of the progress, in customers.
const PROGRESS: usize = 2_500;

/// What an order asks for; every one is the same.
const ORDER: &str =
    r#"{"amount":{"amount_minor":100,"currency":"RUB"},"description":"A pair of laces"}"#;

/// Everybody who orders.
#[derive(Debug)]
pub(crate) struct Crowd {
    customers: Vec<Customer>,
    /// Keys of this run begin with it, so that no earlier run has used them.
    run: String,
    next_key: AtomicU64,
}

/// What a customer can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Money,
    EmptyAccount,
    NoAccount,
}

/// Somebody with a session.
#[derive(Debug)]
struct Customer {
    means: Means,
    token: String,
    /// The POST of an order up to its key.
    order_head: Vec<u8>,
}

impl Crowd {
    /// Signs everybody in. Their orders go to `host`.
    pub(crate) async fn sign_in(
        pool: &Arc<Pool>,
        host: &str,
        arguments: &Arguments,
    ) -> anyhow::Result<Self> {
        let first = arguments.first_user;
        let tokens = for_each("signed in", arguments.accounts, |index| {
            let pool = Arc::clone(pool);
            async move { sign_in(&pool, first + i64::try_from(index)?).await }
        })
        .await?;
        let customers = tokens
            .into_iter()
            .enumerate()
            .map(|(index, token)| Customer {
                means: means(index, arguments.payable),
                order_head: head(host, "/api/v1/orders", Some(&token), ORDER.len()),
                token,
            })
            .collect();
        Ok(Self {
            customers,
            run: Uuid::new_v4().simple().to_string(),
            next_key: AtomicU64::new(0),
        })
    }

    /// Opens accounts and tops them up.
    pub(crate) async fn fund(self: &Arc<Self>, pool: &Arc<Pool>) -> anyhow::Result<()> {
        for_each("have their accounts", self.customers.len(), |index| {
            let (crowd, pool) = (Arc::clone(self), Arc::clone(pool));
            async move { crowd.fund_one(&pool, index).await }
        })
        .await?;
        Ok(())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.customers.len()
    }

    /// Somebody's session.
    pub(crate) fn token(&self, index: usize) -> &str {
        &self.customers[index].token
    }

    /// Writes the request that places a new order of this customer.
    pub(crate) fn write_order(&self, index: usize, request: &mut Vec<u8>) {
        request.extend_from_slice(&self.customers[index].order_head);
        self.write_key(request);
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(ORDER.as_bytes());
    }

    async fn fund_one(&self, pool: &Pool, index: usize) -> anyhow::Result<()> {
        let customer = &self.customers[index];
        if customer.means == Means::NoAccount {
            return Ok(());
        }
        self.post(pool, customer, "/api/v1/account", "{}").await?;
        if customer.means == Means::Money {
            let body = format!(r#"{{"amount":{{"amount_minor":{FUNDS_MINOR},"currency":"RUB"}}}}"#);
            self.post(pool, customer, "/api/v1/account/top-ups", &body)
                .await?;
        }
        Ok(())
    }

    async fn post(
        &self,
        pool: &Pool,
        customer: &Customer,
        path: &str,
        body: &str,
    ) -> anyhow::Result<()> {
        let write = |request: &mut Vec<u8>| {
            *request = head(pool.host(), path, Some(&customer.token), body.len());
            self.write_key(request);
            request.extend_from_slice(b"\r\n\r\n");
            request.extend_from_slice(body.as_bytes());
        };
        pool.call(write, |answer| accepted(path, answer)).await
    }

    fn write_key(&self, request: &mut Vec<u8>) {
        use std::io::Write;
        let key = self.next_key.fetch_add(1, Ordering::Relaxed);
        request.extend_from_slice(self.run.as_bytes());
        // Writing to memory does not fail.
        let _ = write!(request, "-{key:x}");
    }
}

/// Spreads those who cannot pay evenly over the crowd, in turn without an account and without money.
fn means(index: usize, payable: u8) -> Means {
    let (turn, place) = (index / 100, index % 100);
    let unpayable = 100 - usize::from(payable);
    // The place's share of the unpayable, rounded down, grows by one exactly `unpayable` times in a hundred.
    let before = place * unpayable / 100;
    if (place + 1) * unpayable / 100 == before {
        Means::Money
    } else if (turn * unpayable + before) % 2 == 0 {
        Means::NoAccount
    } else {
        Means::EmptyAccount
    }
}

async fn sign_in(pool: &Pool, user_id: i64) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Session {
        token: String,
    }
    let body = format!(r#"{{"user_id":{user_id}}}"#);
    let write = |request: &mut Vec<u8>| {
        *request = head(pool.host(), "/api/v1/session", None, body.len());
        request.extend_from_slice(b"0\r\n\r\n");
        request.extend_from_slice(body.as_bytes());
    };
    pool.call(write, |answer| {
        accepted("/api/v1/session", answer)?;
        let session: Session = serde_json::from_slice(answer.body)
            .context("a session has no token: does the shop run in the demo profile?")?;
        Ok(session.token)
    })
    .await
}

fn accepted(path: &str, answer: &Answer<'_>) -> anyhow::Result<()> {
    ensure!(
        (200..300).contains(&answer.status),
        "POST {path} is answered with {} {}",
        answer.status,
        String::from_utf8_lossy(answer.body)
    );
    Ok(())
}

/// A request's head up to the value of its last header, the idempotency key.
fn head(host: &str, path: &str, token: Option<&str>, body_length: usize) -> Vec<u8> {
    let authorization = token.map_or_else(String::new, |token| {
        format!("authorization: Bearer {token}\r\n")
    });
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\n{authorization}content-type: application/json\r\n\
         content-length: {body_length}\r\nidempotency-key: "
    )
    .into_bytes()
}

/// Does the work for every customer, some at once, and gives the results in the customers' order.
pub(crate) async fn for_each<T, F>(
    done: &str,
    customers: usize,
    work: impl Fn(usize) -> F,
) -> anyhow::Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut results: Vec<(usize, T)> = Vec::with_capacity(customers);
    let mut next = 0;
    while results.len() < customers {
        while next < customers && running.len() < AT_ONCE {
            let one = timeout(CUSTOMER_WITHIN, work(next));
            let index = next;
            running.spawn(async move { (index, one.await) });
            next += 1;
        }
        let ended = running.join_next().await.context("nobody is left")?;
        let (index, result) = ended.context("a customer's task panicked")?;
        let result = result.with_context(|| format!("customer {index} waits too long"))?;
        results.push((index, result?));
        if results.len().is_multiple_of(PROGRESS) || results.len() == customers {
            eprintln!("{} of {customers} customers {done}", results.len());
        }
    }
    results.sort_unstable_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_percent_can_pay_and_the_rest_is_halved() {
        for payable in [0, 5, 50, 95, 99, 100_u8] {
            let all: Vec<Means> = (0..1_000).map(|index| means(index, payable)).collect();
            let count = |wanted| all.iter().filter(|means| **means == wanted).count();
            let unpayable = 1_000 - 10 * usize::from(payable);
            assert_eq!(count(Means::Money), 10 * usize::from(payable));
            assert_eq!(count(Means::NoAccount), unpayable / 2, "{payable}");
            assert_eq!(count(Means::EmptyAccount), unpayable / 2, "{payable}");
        }
    }

    #[test]
    fn no_two_requests_have_the_same_key() {
        let crowd = Crowd {
            customers: vec![Customer {
                means: Means::Money,
                token: String::new(),
                order_head: head("shop:80", "/api/v1/orders", Some("t"), ORDER.len()),
            }],
            run: "run".to_owned(),
            next_key: AtomicU64::new(255),
        };
        let request = || {
            let mut request = Vec::new();
            crowd.write_order(0, &mut request);
            String::from_utf8(request).unwrap()
        };
        let (first, second) = (request(), request());
        assert!(
            first.contains("\r\nidempotency-key: run-ff\r\n\r\n{"),
            "{first}"
        );
        assert!(
            second.contains("\r\nidempotency-key: run-100\r\n\r\n{"),
            "{second}"
        );
        assert!(first.contains(&format!("content-length: {}\r\n", ORDER.len())));
    }
}
