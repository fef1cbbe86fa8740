//! `gozon trace ORDER`: every hop of an order through both services, in one line of time.

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{client::Client, print_json, render};
use crate::{
    config::{Environment, OperateArgs, OperateConfig},
    ops::{
        Service,
        trace::{EVENTS_MAX, OrderHop, OrderTrace, in_order},
    },
};

/// Flags of `gozon trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// The order's id, or the number people see
    order: String,
    #[command(flatten)]
    operate: OperateArgs,
}

/// An order's hops through both services.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WholeTrace {
    pub(super) order_id: Uuid,
    pub(super) number: Option<i64>,
    pub(super) status: Option<String>,
    pub(super) trace_id: Option<String>,
    pub(super) hops: Vec<OrderHop>,
}

/// Asks and prints.
pub(crate) async fn run(args: &TraceArgs, environment: &Environment) -> anyhow::Result<()> {
    let client = Client::new(OperateConfig::read(&args.operate, environment)?)?;
    let trace = follow(&client, &args.order).await?.with_context(|| {
        format!(
            "no order {}: an order has an id (a UUID) and a number, which are in its confirmation and on the page",
            args.order
        )
    })?;
    if args.operate.json {
        return print_json(&trace);
    }
    print!("{}", render::trace::text(&trace));
    Ok(())
}

/// What both services know. Neither keeps which of the other's events it settled, so each is told them.
async fn follow(client: &Client, name: &str) -> anyhow::Result<Option<WholeTrace>> {
    let order = ask(client, Service::Order, name, &[]).await?;
    let (id, requests) = match (&order, name.parse::<Uuid>()) {
        (Some(order), _) => (order.order_id, order.sent()),
        // The payment service may know an order that the order service has lost.
        (None, Ok(id)) => (id, Vec::new()),
        (None, Err(_)) => return Ok(None),
    };
    let id_text = id.to_string();
    let payment = ask(client, Service::Payment, &id_text, &requests).await?;
    let answers = payment.as_ref().map(OrderTrace::sent).unwrap_or_default();
    // Asked again, for by now the order service may have settled the answer, too.
    let order = match order {
        Some(_) => ask(client, Service::Order, &id_text, &answers).await?,
        None => None,
    };
    if order.is_none() && payment.is_none() {
        return Ok(None);
    }
    let hops = [&order, &payment].into_iter().flatten();
    let hops = hops.flat_map(|trace| trace.hops.clone()).collect();
    Ok(Some(WholeTrace {
        order_id: id,
        number: order.as_ref().and_then(|order| order.number),
        status: order.as_ref().and_then(|order| order.status.clone()),
        trace_id: order.and_then(|order| order.trace_id),
        hops: in_order(hops),
    }))
}

async fn ask(
    client: &Client,
    service: Service,
    name: &str,
    events: &[Uuid],
) -> anyhow::Result<Option<OrderTrace>> {
    // The path is a segment of the address: a name with a slash in it names nothing.
    if name.is_empty()
        || !name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    {
        return Ok(None);
    }
    let events: Vec<_> = events
        .iter()
        .take(EVENTS_MAX)
        .map(Uuid::to_string)
        .collect();
    let query = if events.is_empty() {
        json!({})
    } else {
        json!({ "events": events.join(",") })
    };
    client
        .get(service, &format!("orders/{name}/trace"), &query)
        .await
}
