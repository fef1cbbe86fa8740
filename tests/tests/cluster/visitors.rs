//! Customers in a pod beside the shop (`tests/cluster/customers`), and what they say of it.

use std::time::Duration;

use serde_json::json;
use tests::{poll_until, visit::Visit};

use crate::{
    STAND_INS,
    commands::try_get,
    namespace::{Namespace, restricted},
};

/// The pod is ready, and orders end, within this time.
const SOON: Duration = Duration::from_mins(1);

/// Customers who order until they are asked to leave.
pub(crate) struct Visitors<'n> {
    namespace: &'n Namespace,
    pod: String,
}

impl<'n> Visitors<'n> {
    /// Sends them to the Services of the shop, and returns when the first orders have ended. No two visits may have the same
    /// customers.
    pub(crate) async fn come(namespace: &'n Namespace, first_user: i64) -> Self {
        Self::come_ordering(namespace, first_user, Duration::from_millis(500)).await
    }

    /// The same with this time between two orders of one customer.
    pub(crate) async fn come_ordering(
        namespace: &'n Namespace,
        first_user: i64,
        every: Duration,
    ) -> Self {
        let pod = format!("customers-{first_user}");
        namespace
            .apply(json!({
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": pod, "labels": {"gozon-test": "customers"}},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": false,
                    "containers": [{
                        "name": "customers",
                        "image": format!("{STAND_INS}/customers:1"),
                        "imagePullPolicy": "Never",
                        "args": [
                            "--order=http://gozon-order",
                            "--payment=http://gozon-payment",
                            "--web=http://gozon-web",
                            format!("--first-user={first_user}"),
                            format!("--every-ms={}", every.as_millis()),
                        ],
                        "securityContext": restricted(),
                    }],
                },
            }))
            .await;
        let visitors = Self { namespace, pod };
        visitors.see_orders_end().await;
        visitors
    }

    /// What they have seen so far.
    pub(crate) async fn progress(&self) -> Visit {
        self.ask("progress").await.unwrap()
    }

    /// Waits until orders placed from now on have ended: the shop works.
    pub(crate) async fn see_orders_end(&self) {
        let mut enough = None;
        poll_until("orders end", SOON, async || {
            let seen: Visit = self.ask("progress").await.ok()?;
            let enough = *enough.get_or_insert(seen.placed + 20);
            (seen.ended >= enough).then_some(())
        })
        .await;
    }

    /// Sends them home, and checks that each order has ended once, and their books add up.
    pub(crate) async fn leave(self) -> Visit {
        let report = self.ask("leave").await.unwrap();
        self.namespace
            .kubectl(&["delete", "pod", &self.pod, "--wait=false"])
            .await;
        assert_eq!(report.flaws, Vec::<String>::new(), "{report:#?}");
        assert_eq!(report.ended, report.placed, "{report:#?}");
        println!("{report:#?}");
        report
    }

    async fn ask(&self, what: &str) -> Result<Visit, String> {
        let Namespace { name, .. } = self.namespace;
        let path = format!(
            "/api/v1/namespaces/{name}/pods/{}:8080/proxy/{what}",
            self.pod
        );
        let answer = try_get(&path).await?;
        serde_json::from_value(answer).map_err(|error| error.to_string())
    }
}
