//! The broker away for longer than the outbox may age: orders are accepted until then, refused from then on, and
//! accepted again when it is back; what was accepted ends.

use std::time::Duration;

use tests::{
    Backing, Customer, Shop,
    backing::Server,
    customer::{Order, new_key, order_call, read},
    poll_until,
    shop::Layout,
};

/// The count would refuse the sixth order, did it apply while the broker is away.
const LIMITS: &[(&str, &str)] = &[
    ("GOZON_UNDECIDED_MAX", "5"),
    ("GOZON_OUTBOX_AGE_MAX_SECONDS", "12"),
];

const SOON: Duration = Duration::from_secs(40);

#[tokio::test]
async fn without_a_broker_orders_are_taken_until_the_outbox_is_too_old_and_none_is_lost() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let shop = Shop::start_with(&backing.instance(), Layout::Together, LIMITS).await;
    let customer = Customer::with_balance(&shop.entrance(), 3).await;
    turn.kill(Server::RabbitMq).await;

    let mut placed = Vec::new();
    until_refused(&customer, &mut placed, "too many orders are undecided").await;
    // The tail may learn of an order after the next one was let in.
    assert!(placed.len() >= 5, "{}", placed.len());
    let before = placed.len();
    poll_until("the count applies no more", SOON, async || {
        match place(&customer).await {
            Ok(order) => {
                placed.push(order);
                Some(())
            }
            Err(reason) => {
                assert_eq!(reason, "Too many orders are undecided.");
                None
            }
        }
    })
    .await;
    until_refused(
        &customer,
        &mut placed,
        "the broker has taken no events for too long",
    )
    .await;
    assert!(placed.len() > before + 1);

    turn.start().await;
    poll_until("orders are accepted again", SOON, async || {
        placed.push(place(&customer).await.ok()?);
        Some(())
    })
    .await;
    customer.ended(&placed, SOON).await;
    assert_eq!(customer.orders().await.len(), placed.len());
    assert_eq!(customer.check_books(3).await, 3);
    shop.assert_clean().await;
}

/// Places orders one after the other until one is refused, for this reason.
async fn until_refused(customer: &Customer, placed: &mut Vec<Order>, reason: &str) {
    poll_until("an order is refused", SOON, async || {
        match place(customer).await {
            Ok(order) => {
                placed.push(order);
                None
            }
            Err(said) => {
                assert!(said.to_lowercase().starts_with(reason), "{said}");
                Some(())
            }
        }
    })
    .await;
}

/// Places an order, or says why it was refused.
async fn place(customer: &Customer) -> Result<Order, String> {
    let answer = customer.send(order_call(&new_key(), 1)).await;
    if answer.status == 201 {
        return Ok(read(answer.json()));
    }
    let problem = answer.expect(503);
    assert_eq!(problem["code"], "overloaded");
    assert!(answer.headers.contains_key("retry-after"));
    Err(problem["detail"].as_str().unwrap().to_owned())
}
