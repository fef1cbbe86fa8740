//! Every role in a process of its own, several replicas of the order service: any replica serves any request or socket.

use std::time::Duration;

use tests::{
    Customer, Instance, Role, Shop, follow::Screen, poll_until, shop::Layout, visit::Party,
};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_socket_that_moves_between_replicas_has_no_gap_no_step_back_and_no_repeat() {
    const ORDERS: usize = 40;
    let shop = Shop::start_separately().await;
    let customer = Customer::with_balance(&shop.entrance(), 20).await;
    let mut cursor = customer.follow(None).await.cursor.clone();
    let placing = async {
        for _ in 0..ORDERS {
            customer.place(1).await;
        }
    };
    let following = async {
        let mut screen = Screen::default();
        let mut sockets = 0;
        while screen.ended() < ORDERS {
            sockets += 1;
            assert!(sockets <= 4 * ORDERS, "the screen does not become complete");
            // The front door takes the replicas in turn: every other socket is at the other one.
            let mut socket = customer.follow(Some(&cursor)).await;
            assert!(
                socket.resumed,
                "the cursor of one replica means the same to the other"
            );
            screen.show(std::mem::take(&mut socket.snapshot));
            if screen.ended() < ORDERS {
                screen.show(socket.next().await.unwrap());
            }
            cursor.clone_from(&socket.cursor);
        }
        screen
    };
    let ((), screen) = tokio::time::timeout(SOON, async { tokio::join!(placing, following) })
        .await
        .expect("the screen becomes complete in time");
    let orders = customer.orders().await;
    assert_eq!(orders.len(), ORDERS);
    for order in &orders {
        assert_eq!(screen.order(order.id), Some(order));
        let shown: Vec<_> = screen.shown[&order.id].iter().map(String::as_str).collect();
        let end = order.status.as_str();
        assert!(shown == ["NEW", end] || shown == [end], "{shown:?}");
    }
    assert_eq!(customer.check_books(20).await, 20);
    shop.assert_clean().await;
}

#[tokio::test]
async fn a_stopping_replica_sends_its_sockets_to_the_other_one() {
    let shop = Shop::start_separately().await;
    let entrance = shop.entrance();
    let customer = Customer::with_balance(&entrance, 10).await;
    let mut sockets = vec![customer.follow(None).await, customer.follow(None).await];
    shop.stop(Role::Order(1)).await;
    let order = customer.place_surely(1, SOON).await;
    let mut moved = 0;
    for socket in &mut sockets {
        if let Ok(orders) = socket.next().await {
            assert_eq!(orders[0].id, order.id);
            continue;
        }
        moved += 1;
        // Closed by the server: the client asks again, until the front door leads it to the replica that lives.
        let resumed = poll_until("the other replica takes the socket", SOON, async || {
            tests::Follow::open(&entrance, &customer.token, Some(&socket.cursor))
                .await
                .ok()
        })
        .await;
        assert!(resumed.resumed);
        assert!(resumed.snapshot.iter().any(|known| known.id == order.id));
    }
    assert_eq!(moved, 1, "each replica had one of the two sockets");
    customer.ended(&[order], SOON).await;
    shop.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_of_three_replicas_is_killed_or_added_everybody_sees_every_change_once_and_in_order()
 {
    const CUSTOMERS: usize = 12;
    let shop = Shop::start(&Instance::OfThisRun, Layout::ThreeOrders).await;
    let first_user = Customer::new_user_id() * 1_000;
    let every = Duration::from_millis(100);
    let party = Party::come(&shop.addresses(), first_user, CUSTOMERS, every);
    let counters = party.counters().clone();
    let goes_on = async || {
        let enough = counters.so_far(Vec::new()).ended + 100;
        poll_until("orders end", SOON, async || {
            (counters.so_far(Vec::new()).ended >= enough).then_some(())
        })
        .await;
    };
    goes_on().await;
    for replica in 1..=3 {
        shop.kill(Role::Order(replica));
        goes_on().await;
        shop.start_again(Role::Order(replica)).await;
        goes_on().await;
    }
    party.over().cancel();
    let visit = party.all_left().await;
    assert_eq!(visit.flaws, Vec::<String>::new(), "{visit:#?}");
    assert_eq!(visit.ended, visit.placed, "{visit:#?}");
    assert_eq!(visit.resumed, visit.reopened, "{visit:#?}");
    // With each replica a third of the sockets went, one way or the other.
    assert!(visit.reopened >= 3, "{visit:#?}");
    shop.assert_clean().await;
}
