//! A pod that ends the processes of others as nothing else in a cluster does: at once, and without a word to them. Even a pod
//! that is deleted without grace is asked to stop first.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::poll_until;

use crate::{
    STAND_INS,
    commands::{apply, kubectl},
    namespace::Namespace,
};

/// Whoever sees the processes of a node is not restricted, so this has a namespace of its own.
const NAMESPACE: &str = "gozon-killer";

const POD: &str = "killer";

/// It runs within this time.
const SOON: Duration = Duration::from_mins(1);

/// A pod beside another's containers, ready to kill them.
#[derive(Debug)]
pub(crate) struct Killer {
    victim: String,
    container: String,
}

impl Killer {
    /// Goes to the node of a pod with one container. Nothing is killed yet, so that it takes no time then.
    pub(crate) async fn beside(namespace: &Namespace, pod: &str) -> Self {
        let victim = namespace.get(&["pod", pod]).await;
        start(victim["spec"]["nodeName"].as_str().unwrap()).await;
        let container = victim["status"]["containerStatuses"][0]["containerID"].as_str();
        // The runtime's name stands before it: `containerd://…`.
        let (_, container) = container.unwrap().split_once("://").unwrap();
        Self {
            victim: pod.to_owned(),
            container: container.to_owned(),
        }
    }

    /// Sends SIGKILL to whatever runs in the container, and says when: at the earliest then it is dead.
    pub(crate) async fn kill(self) -> Instant {
        let Self { victim, container } = self;
        // Who is of which container stands in its control groups.
        let kill = format!(
            "for file in $(grep -l {container} /proc/[0-9]*/cgroup); do \
                pid=${{file#/proc/}}; kill -KILL ${{pid%/cgroup}} && echo killed; \
             done"
        );
        let begun = Instant::now();
        let exec = ["--namespace", NAMESPACE, "exec", POD, "--"];
        let said = kubectl(&[&exec[..], &["sh", "-c", &kill]].concat()).await;
        assert_eq!(said.trim(), "killed", "one process runs in {victim}");
        begun
    }
}

async fn start(node: &str) {
    apply(&json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {"gozon-test": "cluster"}},
    }))
    .await;
    let at = ["--namespace", NAMESPACE];
    let delete = ["delete", "pod", POD, "--ignore-not-found", "--wait"];
    kubectl(&[&at[..], &delete].concat()).await;
    apply(&json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "namespace": NAMESPACE},
        "spec": {
            "nodeName": node,
            "hostPID": true,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsUser": 0, "runAsGroup": 0},
            "containers": [{
                "name": "killer",
                "image": format!("{STAND_INS}/postgres:1"),
                "imagePullPolicy": "Never",
                "command": ["sleep", "600"],
            }],
        },
    }))
    .await;
    poll_until("the killer is there", SOON, async || {
        let phase = ["get", "pod", POD, "--output=jsonpath={.status.phase}"];
        let phase = kubectl(&[&at[..], &phase].concat()).await;
        (phase == "Running").then_some(())
    })
    .await;
}
