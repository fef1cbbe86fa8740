//! kubectl and Helm as a person would use them: what they say, or what they complain about.

use std::{process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// Every command ends by itself within this time.
const ENDS_WITHIN: Duration = Duration::from_mins(6);

/// Runs a program with this on its standard input: what it said, or what it complained about.
pub(crate) async fn run(program: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(arguments)
        // Charts are named as from the checkout.
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let (written, output) = tokio::join!(
        async {
            let written = stdin.write_all(input.as_bytes()).await;
            drop(stdin);
            written
        },
        timeout(ENDS_WITHIN, child.wait_with_output())
    );
    let output = output
        .unwrap_or_else(|_| panic!("{program} {} does not end", arguments.join(" ")))
        .unwrap();
    // Who does not read its input has a reason, and says it.
    drop(written);
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// `kubectl`, which has to succeed.
pub(crate) async fn kubectl(arguments: &[&str]) -> String {
    run("kubectl", arguments, "")
        .await
        .unwrap_or_else(|error| panic!("kubectl {}: {error}", arguments.join(" ")))
}

/// What the API server answers to a plain GET.
pub(crate) async fn try_get(path: &str) -> Result<Value, String> {
    let text = run("kubectl", &["get", "--raw", path], "").await?;
    serde_json::from_str(&text).map_err(|error| format!("{path}: {error}: {text}"))
}

/// Applies an object or a list of them.
pub(crate) async fn apply(object: &Value) {
    if let Err(error) = run("kubectl", &["apply", "--filename=-"], &object.to_string()).await {
        panic!("{error}: {object:#}");
    }
}

/// The names of the cluster's nodes.
pub(crate) async fn nodes() -> Vec<String> {
    let names = kubectl(&[
        "get",
        "nodes",
        "--output=jsonpath={.items[*].metadata.name}",
    ])
    .await;
    names.split(' ').map(str::to_owned).collect()
}
