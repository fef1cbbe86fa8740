//! Volumes made by hand: folders of the node, for a cluster that makes none by itself.

use std::time::Duration;

use serde_json::{Value, json};
use tests::poll_until;

use crate::{
    STAND_INS,
    commands::{apply, kubectl, nodes},
};

pub(crate) const SIZE: &str = "1Gi";

/// Where they are on the node.
const FOLDER: &str = "/var/lib/gozon-test";

/// The folders are there, or gone, within this time.
const DONE_WITHIN: Duration = Duration::from_mins(1);

/// Makes the volumes that the claims of a release (`namespace/release`) are for, empty, each in a folder of its own. They
/// outlive the claims, so an earlier run's are deleted first.
pub(crate) async fn make(owner: &str) {
    let (namespace, release) = owner.split_once('/').unwrap();
    let node = &nodes().await[0];
    kubectl(&[
        "delete",
        "namespace",
        namespace,
        "--ignore-not-found",
        "--wait",
    ])
    .await;
    for part in ["postgres", "rabbitmq"] {
        let name = format!("{namespace}-{part}");
        kubectl(&[
            "delete",
            "persistentvolume",
            &name,
            "--ignore-not-found",
            "--wait",
        ])
        .await;
        empty_folder(node, &name).await;
        apply(&json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "labels": {"gozon-test": "cluster"}},
            "spec": {
                "capacity": {"storage": SIZE},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": {"namespace": namespace, "name": format!("data-{release}-{part}-0")},
                "local": {"path": format!("{FOLDER}/{name}")},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]},
                ]}]}},
            },
        }))
        .await;
    }
}

/// Whoever makes a folder on a node is not restricted, so this has a namespace of its own.
async fn empty_folder(node: &str, name: &str) {
    const NAMESPACE: &str = "gozon-volumes";
    apply(&json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {"gozon-test": "cluster"}},
    }))
    .await;
    let pod: Value = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "restartPolicy": "Never",
            // Where there are several nodes, on the one that the volumes are on.
            "nodeName": node,
            "securityContext": {"runAsUser": 0, "runAsGroup": 0},
            "containers": [{
                "name": "empty",
                "image": format!("{STAND_INS}/postgres:1"),
                "imagePullPolicy": "Never",
                "command": ["sh", "-c", format!("rm -rf /volumes/{name} && mkdir /volumes/{name}")],
                "volumeMounts": [{"name": "volumes", "mountPath": "/volumes"}],
            }],
            "volumes": [{"name": "volumes", "hostPath": {"path": FOLDER, "type": "DirectoryOrCreate"}}],
        },
    });
    let at = ["--namespace", NAMESPACE];
    kubectl(
        &[
            &at[..],
            &["delete", "pod", name, "--ignore-not-found", "--wait"],
        ]
        .concat(),
    )
    .await;
    apply(&pod).await;
    poll_until(
        &format!("the folder of {name} is made"),
        DONE_WITHIN,
        async || {
            let status = ["get", "pod", name, "--output=jsonpath={.status}"];
            let status = kubectl(&[&at[..], &status].concat()).await;
            let status: Value = serde_json::from_str(&status).unwrap_or_default();
            // A node without room on its disk refuses pods, for one; its words say so.
            assert_ne!(status["phase"], "Failed", "{status:#}");
            (status["phase"] == "Succeeded").then_some(())
        },
    )
    .await;
}
