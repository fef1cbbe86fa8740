//! A Prometheus of a test's own: asks processes for their metrics every second, under our rules.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};
use url::Url;

use crate::{http_client, leftovers, poll_until, program, shop::free_port, watchdog};

/// It answers within this time.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The server. It ends with the test, and its data with it.
#[derive(Debug)]
pub struct Prometheus {
    process: Child,
    folder: PathBuf,
    url: Url,
    http: Client,
}

/// A series of a query's result: its labels, and its values.
#[derive(Debug, Clone)]
pub struct Found {
    /// The labels, as a JSON object.
    pub labels: Value,
    /// The values, none of which is NaN.
    pub values: Vec<f64>,
}

impl Prometheus {
    /// Starts one that asks these addresses and evaluates the rules in this folder.
    ///
    /// # Panics
    /// When there is no `prometheus`, or it does not start.
    pub async fn start(admin_urls: &[Url], rules: &Path) -> Self {
        let folder = program::target_folder()
            .join("test-instances")
            .join(leftovers::unique_name("prometheus"));
        std::fs::create_dir_all(&folder).expect("the target folder is writable");
        let configuration = folder.join("prometheus.yml");
        // JSON is YAML.
        std::fs::write(&configuration, configure(admin_urls, rules).to_string())
            .expect("the folder is writable");
        let address = format!("127.0.0.1:{}", free_port());
        let log = std::fs::File::create(folder.join("log")).expect("the folder is writable");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=exemplar-storage")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus is on the PATH: `services/gozon/local/backing install --prometheus` installs it");
        watchdog::watch_process(process.id());
        let prometheus = Self {
            process,
            folder,
            url: format!("http://{address}")
                .parse()
                .expect("an address makes a URL"),
            http: http_client(),
        };
        poll_until("Prometheus is ready", READY_WITHIN, async || {
            let ready = prometheus.http.get(prometheus.at("-/ready")).send().await;
            ready
                .is_ok_and(|answer| answer.status().is_success())
                .then_some(())
        })
        .await;
        prometheus
    }

    /// What an expression yields now.
    ///
    /// # Panics
    /// When Prometheus refuses it.
    pub async fn ask(&self, expression: &str) -> Vec<Found> {
        self.found("api/v1/query", &[("query", expression)]).await
    }

    /// What an expression has yielded in every second of the last minutes.
    ///
    /// # Panics
    /// When Prometheus refuses it.
    pub async fn ask_back(&self, expression: &str, minutes: u32) -> Vec<Found> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let end = now.expect("the clock is past 1970").as_secs();
        let (start, end) = ((end - u64::from(minutes) * 60).to_string(), end.to_string());
        let range = [
            ("query", expression),
            ("start", &start),
            ("end", &end),
            ("step", "1"),
        ];
        self.found("api/v1/query_range", &range).await
    }

    /// The exemplars of an expression's series in the last minutes: their labels.
    ///
    /// # Panics
    /// When Prometheus refuses it.
    pub async fn exemplars(&self, expression: &str) -> Vec<Value> {
        let range = [("query", expression), ("start", "0"), ("end", "9999999999")];
        let data = self.get("api/v1/query_exemplars", &range).await;
        let series = data.as_array().into_iter().flatten();
        series
            .flat_map(|series| series["exemplars"].as_array().cloned().unwrap_or_default())
            .map(|exemplar| exemplar["labels"].clone())
            .collect()
    }

    /// All rules with what has become of them.
    ///
    /// # Panics
    /// When Prometheus does not answer.
    pub async fn rules(&self) -> Vec<Value> {
        let data = self.get("api/v1/rules", &[]).await;
        let groups = data["groups"].as_array().into_iter().flatten();
        groups
            .flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default())
            .collect()
    }

    async fn found(&self, path: &str, parameters: &[(&str, &str)]) -> Vec<Found> {
        let data = self.get(path, parameters).await;
        let series = data["result"].as_array().into_iter().flatten();
        // A scalar is no series, and has no labels.
        let found = series.filter(|series| series.is_object()).map(|series| {
            let points = match &series["values"] {
                Value::Array(points) => points.clone(),
                _ => vec![series["value"].clone()],
            };
            let values = points
                .iter()
                .filter_map(|point| point[1].as_str()?.parse().ok());
            Found {
                labels: series["metric"].clone(),
                values: values.filter(|value: &f64| !value.is_nan()).collect(),
            }
        });
        found.filter(|series| !series.values.is_empty()).collect()
    }

    async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let mut url = self.at(path);
        url.query_pairs_mut().extend_pairs(parameters);
        let answer = self.http.get(url).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let text = answer.text().await.expect("an answer has a body");
        let mut answer: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{path}: no JSON ({error}): {text}"));
        assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
        answer["data"].take()
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).expect("a path makes a URL")
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        if !std::thread::panicking() {
            std::fs::remove_dir_all(&self.folder).ok();
        }
    }
}

/// As in a cluster, each process is a job of a namespace.
fn configure(admin_urls: &[Url], rules: &Path) -> Value {
    let targets = admin_urls.iter().map(|url| {
        let address = url.socket_addrs(|| None).expect("an address and a port")[0];
        json!({ "targets": [address], "labels": { "namespace": "shop" } })
    });
    json!({
        "global": { "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s" },
        "rule_files": [rules.join("*.yaml")],
        "scrape_configs": [{ "job_name": "gozon", "static_configs": targets.collect::<Vec<_>>() }],
    })
}
