//! A Prometheus on this machine, with the configuration that charts/gozon-deps renders. Debian's is built without discovery
//! of Kubernetes' pods, so the pods, with the labels that discovery would give them, reach it by a file.

use std::{fs, path::Path, process::Stdio};

use serde_json::{Value, json};
use tests::http_client;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};
use url::Url;

use crate::{commands::run, namespace::Namespace};

/// What the chart says of discovery, and where rules are in its pod.
const DISCOVERY: &str = "kubernetes_sd_configs:
      - role: pod
        namespaces: {own_namespace: true}";
const RULES: &str = "/etc/gozon/rules";

/// A running Prometheus. It ends when dropped.
pub(crate) struct Prometheus {
    namespace: &'static Namespace,
    folder: String,
    url: Url,
    _process: Child,
}

impl Prometheus {
    /// Starts it for a shop, with the shop's rules.
    pub(crate) async fn start(namespace: &'static Namespace, name: &str) -> Self {
        let folder = format!("{}/prometheus-{name}", env!("CARGO_TARGET_TMPDIR"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(format!("{folder}/rules")).unwrap();
        let rules = namespace.get(&["configmap", "gozon-rules"]).await;
        for (file, text) in rules["data"].as_object().into_iter().flatten() {
            fs::write(format!("{folder}/rules/{file}"), text.as_str().unwrap()).unwrap();
        }
        let config = configuration(&folder).await;
        let file = format!("{folder}/prometheus.yml");
        fs::write(&file, config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let log = fs::File::create(format!("{folder}/log")).unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={file}"))
            .arg(format!("--storage.tsdb.path={folder}/data"))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus can be run");
        Self {
            namespace,
            folder,
            url: format!("http://{address}/api/v1/query").parse().unwrap(),
            _process: process,
        }
    }

    /// Tells it which pods there are now.
    pub(crate) async fn discover(&self) {
        let pods = self.namespace.get(&["pods"]).await;
        let pods = pods["items"].as_array().unwrap();
        let targets: Vec<_> = pods.iter().flat_map(targets).collect();
        let file = Path::new(&self.folder).join("pods.json");
        // It reads the old file or the new one, never half of one.
        let fresh = file.with_extension("new");
        fs::write(&fresh, json!(targets).to_string()).unwrap();
        fs::rename(fresh, file).unwrap();
    }

    /// The series that it has for a query; none while it does not answer.
    pub(crate) async fn ask(&self, query: &str) -> Vec<Value> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("query", query);
        let Ok(response) = http_client().get(url).send().await else {
            return Vec::new();
        };
        let text = response.text().await.unwrap_or_default();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_ne!(answer["status"], "error", "{query}: {answer}");
        let series = answer["data"]["result"].as_array();
        series.cloned().unwrap_or_default()
    }
}

/// The chart's configuration with another source of pods and another folder of rules.
async fn configuration(folder: &str) -> String {
    let arguments = [
        "template",
        "charts/gozon-deps",
        "--show-only=templates/prometheus.yaml",
    ];
    let rendered = run("helm", &arguments, "").await.unwrap();
    let (_, after) = rendered.split_once("prometheus.yml: |\n").unwrap();
    let lines = after
        .lines()
        .map_while(|line| line.strip_prefix("    ").or(line.is_empty().then_some("")));
    let config = lines.collect::<Vec<_>>().join("\n");
    for expected in [DISCOVERY, RULES] {
        assert!(config.contains(expected), "{config}");
    }
    let by_file =
        format!("file_sd_configs:\n      - {{files: [{folder}/pods.json], refresh_interval: 1s}}");
    config
        .replace(DISCOVERY, &by_file)
        .replace(RULES, &format!("{folder}/rules"))
}

/// One target for each port of a pod's containers, as discovery of pods makes them.
fn targets(pod: &Value) -> Vec<Value> {
    let Some(address) = pod["status"]["podIP"].as_str() else {
        return Vec::new();
    };
    let mut labels = json!({
        "__meta_kubernetes_namespace": pod["metadata"]["namespace"],
        "__meta_kubernetes_pod_name": pod["metadata"]["name"],
        "__meta_kubernetes_pod_phase": pod["status"]["phase"],
    });
    for (name, value) in pod["metadata"]["labels"].as_object().into_iter().flatten() {
        let name = name.replace(|one: char| !one.is_ascii_alphanumeric(), "_");
        labels[format!("__meta_kubernetes_pod_label_{name}")] = value.clone();
    }
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let ports =
        containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    ports
        .map(|port| {
            let mut labels = labels.clone();
            labels["__meta_kubernetes_pod_container_port_name"] = port["name"].clone();
            json!({"targets": [format!("{address}:{}", port["containerPort"])], "labels": labels})
        })
        .collect()
}
