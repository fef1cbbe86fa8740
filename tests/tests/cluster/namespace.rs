//! A namespace of a test's own, in which `PodSecurity`'s strictest level is enforced.

use std::time::Duration;

use serde_json::{Value, json};
use tests::poll_until;

use crate::commands::{apply, kubectl, run};

/// How long Helm waits for everything to be ready: two cores have much to start.
const READY_WITHIN: &str = "--timeout=300s";

/// A test's part of a pod's life is over within this time.
const POD_ENDS_WITHIN: Duration = Duration::from_mins(2);

/// A namespace. `make cluster-test` deletes those of its run when it ends.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) name: &'static str,
}

impl Namespace {
    /// Makes it, empty: what an earlier run left of that name is deleted.
    pub(crate) async fn create(name: &'static str) -> Self {
        kubectl(&["delete", "namespace", name, "--ignore-not-found", "--wait"]).await;
        apply(&json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": {
                    "gozon-test": "cluster",
                    "pod-security.kubernetes.io/enforce": "restricted",
                },
            },
        }))
        .await;
        Self { name }
    }

    /// `kubectl` in this namespace, which has to succeed.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> String {
        kubectl(&[&["--namespace", self.name], arguments].concat()).await
    }

    /// What `kubectl get` finds.
    pub(crate) async fn get(&self, arguments: &[&str]) -> Value {
        let text = self
            .kubectl(&[&["get", "--output=json"], arguments].concat())
            .await;
        serde_json::from_str(&text).unwrap()
    }

    /// The pods that a selector finds.
    pub(crate) async fn pods(&self, selector: &str) -> Vec<Value> {
        let list = self.get(&["pods", "--selector", selector]).await;
        list["items"].as_array().unwrap().clone()
    }

    /// Applies an object that says no namespace.
    pub(crate) async fn apply(&self, mut object: Value) {
        object["metadata"]["namespace"] = self.name.into();
        apply(&object).await;
    }

    /// Installs or upgrades a release, and waits until all of it is ready. Says Helm's notes.
    pub(crate) async fn install(&self, release: &str, options: &[&str], values: &Value) -> String {
        let ready = ["--wait", READY_WITHIN];
        self.begin_install(release, &[options, &ready].concat(), values)
            .await
    }

    /// The same without waiting. The chart has the release's name.
    pub(crate) async fn begin_install(
        &self,
        release: &str,
        options: &[&str],
        values: &Value,
    ) -> String {
        let chart = format!("charts/{release}");
        let arguments = [
            "upgrade",
            "--install",
            release,
            &chart,
            "--namespace",
            self.name,
        ];
        let arguments = [&arguments[..], options, &["--values=-"]].concat();
        match run("helm", &arguments, &values.to_string()).await {
            Ok(notes) => notes,
            Err(error) => panic!(
                "helm {}: {error}\n{}",
                arguments.join(" "),
                self.state().await
            ),
        }
    }

    /// Helm in this namespace, which has to succeed.
    pub(crate) async fn helm(&self, arguments: &[&str]) -> String {
        let arguments = [&["--namespace", self.name], arguments].concat();
        match run("helm", &arguments, "").await {
            Ok(said) => said,
            Err(error) => panic!(
                "helm {}: {error}\n{}",
                arguments.join(" "),
                self.state().await
            ),
        }
    }

    /// Runs a pod to its end and gives its log.
    pub(crate) async fn run_pod(&self, pod: Value) -> String {
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        self.kubectl(&["delete", "pod", &name, "--ignore-not-found", "--wait"])
            .await;
        self.apply(pod).await;
        let phase = poll_until(&format!("pod {name} ends"), POD_ENDS_WITHIN, async || {
            let pod = self.get(&["pod", &name]).await;
            let phase = pod["status"]["phase"].as_str()?.to_owned();
            matches!(phase.as_str(), "Succeeded" | "Failed").then_some(phase)
        })
        .await;
        let log = self.kubectl(&["logs", &name]).await;
        assert_eq!(phase, "Succeeded", "{name}: {log}");
        log
    }

    /// Pods and events, for whoever has to find out.
    async fn state(&self) -> String {
        let pods = self
            .kubectl(&["get", "pods,jobs,persistentvolumeclaims", "--output=wide"])
            .await;
        let events = self
            .kubectl(&["get", "events", "--sort-by=.lastTimestamp"])
            .await;
        let events: Vec<_> = events.lines().rev().take(20).collect();
        format!("{pods}\n{}", events.join("\n"))
    }
}

/// What a container may not do, as every pod here says: the namespace refuses it otherwise.
pub(crate) fn restricted() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "runAsNonRoot": true,
        "runAsUser": 65532,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    })
}
