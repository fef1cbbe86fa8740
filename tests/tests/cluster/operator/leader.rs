//! Which of the operators acts, and that another does when it is killed.

use std::time::Duration;

use tests::poll_until;

use super::{PODS, SOON};
use crate::{commands::run, killer::Killer, namespace::Namespace};

/// Somebody acts again within this time after the one that did was killed.
const SUCCEEDED_WITHIN: Duration = Duration::from_secs(15);

/// What becomes of the pod whose process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pod {
    /// It starts the process again, which may be the next to act.
    Stays,
    /// It is deleted, so another one acts.
    Goes,
}

/// Kills the operator that acts, which tells nobody, and waits for the next; never do two act.
pub(crate) async fn kill(namespace: &Namespace, becomes: Pod) {
    let all = namespace.pods(PODS).await.len();
    assert!(all >= 2, "nobody stands by");
    let acting = acting(namespace).await;
    let [victim] = &acting[..] else {
        panic!("one acts: {acting:?}");
    };
    let restarts = async || {
        let pod = namespace.get(&["pod", victim]).await;
        let container = &pod["status"]["containerStatuses"][0];
        (
            container["restartCount"].as_i64(),
            container["lastState"]["terminated"]["exitCode"].as_i64(),
        )
    };
    let (before, _) = restarts().await;
    let killed = Killer::beside(namespace, victim).await.kill().await;
    if becomes == Pod::Goes {
        let delete = [
            "delete",
            "pod",
            victim,
            "--grace-period=0",
            "--force",
            "--wait=false",
        ];
        namespace.kubectl(&delete).await;
    }
    let next = next(namespace, (victim, becomes)).await;
    let took = killed.elapsed();
    println!("the operator {victim} was killed, and {next} acts after {took:?}");
    assert!(took < SUCCEEDED_WITHIN, "{took:?}");
    if becomes == Pod::Stays {
        // As a process ends that was sent SIGKILL, and no other.
        let (after, code) = restarts().await;
        assert_eq!((after, code), (before.map(|before| before + 1), Some(137)));
    }
}

async fn next(namespace: &Namespace, (victim, becomes): (&str, Pod)) -> String {
    poll_until("an operator acts", SOON, async || {
        let acting = acting(namespace).await;
        assert!(acting.len() <= 1, "{acting:?} act");
        let next = acting.into_iter().next()?;
        (becomes == Pod::Stays || next != victim).then_some(next)
    })
    .await
}

/// The pods that say that they act. Who does not answer does not.
pub(crate) async fn acting(namespace: &Namespace) -> Vec<String> {
    let mut acting = Vec::new();
    for pod in namespace.pods(PODS).await {
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let metrics = metrics(namespace, &name).await.unwrap_or_default();
        if metrics.lines().any(|line| line == "gozon_operator_leads 1") {
            acting.push(name);
        }
    }
    acting
}

/// What a pod of the operator measures.
pub(crate) async fn metrics(namespace: &Namespace, pod: &str) -> Result<String, String> {
    let of = namespace.name;
    let path = format!("/api/v1/namespaces/{of}/pods/{pod}:8081/proxy/metrics");
    run("kubectl", &["get", "--raw", &path], "").await
}
