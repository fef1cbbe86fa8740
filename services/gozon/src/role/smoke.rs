//! `gozon smoke URL`: places one order at a running shop, as a customer would, and sees it paid.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::{Environment, SmokeArgs, SmokeConfig};

mod client;

use client::Client;

/// What the order costs, and so what is topped up: 1 rouble.
const AMOUNT_MINOR: i64 = 100;

/// How often the order is looked at.
const STEP: Duration = Duration::from_millis(5);

/// User ids are drawn from those that `JavaScript` can also count to.
const USER_ID_MAX: i64 = 1 << 53;

/// Walks through the whole flow and prints each step with its milliseconds.
pub(crate) async fn run(args: &SmokeArgs, environment: &Environment) -> anyhow::Result<()> {
    let config = SmokeConfig::read(args, environment)?;
    let begun = Instant::now();
    let token = match config.token {
        Some(token) => token,
        None => step("signed in", sign_in(&Client::new(config.web, None)?)).await?,
    };
    let accounts = Client::new(config.payment, Some(&token))?;
    step("account open", open_account(&accounts)).await?;
    step("topped up", top_up(&accounts)).await?;
    let orders = Client::new(config.order, Some(&token))?;
    let placed = Instant::now();
    let id = step("order placed", place_order(&orders)).await?;
    let seen = step("order finished", finish(&orders, &id, config.within)).await;
    seen.with_context(|| format!("order {id}"))?;
    println!(
        "ok: order {id} finished {} ms after it was placed, {} ms in all",
        placed.elapsed().as_millis(),
        begun.elapsed().as_millis()
    );
    Ok(())
}

/// Does one step and prints how long it took.
async fn step<T>(
    name: &'static str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    let done = work.await.with_context(|| format!("not {name}"))?;
    println!("{name:16} {:>6} ms", begun.elapsed().as_millis());
    Ok(done)
}

async fn sign_in(client: &Client<'_>) -> anyhow::Result<SecretString> {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    let user_id = i64::try_from(high >> 11)?.clamp(1, USER_ID_MAX);
    let session = client
        .post("api/v1/session", &json!({ "user_id": user_id }))
        .await?;
    text(&session, "token").map(SecretString::from)
}

async fn open_account(client: &Client<'_>) -> anyhow::Result<()> {
    client.post("api/v1/account", &json!({})).await?;
    Ok(())
}

async fn top_up(client: &Client<'_>) -> anyhow::Result<()> {
    let body = json!({ "amount": amount() });
    client.post("api/v1/account/top-ups", &body).await?;
    Ok(())
}

async fn place_order(client: &Client<'_>) -> anyhow::Result<String> {
    let body = json!({ "amount": amount(), "description": "smoke" });
    let order = client.post("api/v1/orders", &body).await?;
    text(&order, "id")
}

/// Looks at the order until it is decided.
async fn finish(client: &Client<'_>, id: &str, within: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + within;
    loop {
        let order = client.get(&format!("api/v1/orders/{id}")).await?;
        match text(&order, "status")?.as_str() {
            "FINISHED" => return Ok(()),
            "NEW" => ensure!(Instant::now() < deadline, "still NEW after {within:?}"),
            status => bail!("it is {status}: {}", order["reason"]),
        }
        tokio::time::sleep(STEP).await;
    }
}

fn amount() -> Value {
    json!({ "amount_minor": AMOUNT_MINOR, "currency": "RUB" })
}

fn text(body: &Value, field: &str) -> anyhow::Result<String> {
    body[field]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("the answer has no `{field}`"))
}
