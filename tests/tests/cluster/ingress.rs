//! An ingress controller on this machine (skipper), which reads the cluster's Ingresses and sends requests straight to pods.

use std::{process::Stdio, time::Duration};

use tests::{Entrance, entrance::Addresses, entrance::Call, poll_until};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};
use url::Url;

use crate::given;

/// It knows the routes, and the pods behind them answer, within this time.
const ROUTES_WITHIN: Duration = Duration::from_mins(1);

/// A running controller. It ends when dropped.
pub(crate) struct Ingress {
    url: Url,
    _processes: [Child; 2],
}

impl Ingress {
    /// Starts it for one namespace, and waits until the page comes through it.
    pub(crate) async fn start(namespace: &str) -> Self {
        let (api, api_port) = api_server_proxy().await;
        let (port, support) = (free_port().await, free_port().await);
        let controller = Command::new(given("GOZON_INGRESS_CONTROLLER"))
            .arg(format!("-address=127.0.0.1:{port}"))
            .arg(format!("-support-listener=127.0.0.1:{support}"))
            .arg("-kubernetes")
            .arg(format!("-kubernetes-url=http://127.0.0.1:{api_port}"))
            .arg(format!("-kubernetes-namespace={namespace}"))
            .arg("-kubernetes-path-mode=path-prefix")
            .arg("-kubernetes-https-redirect=false")
            .arg("-proxy-preserve-host")
            .arg("-experimental-upgrade")
            .arg("-access-log-disabled")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("the ingress controller can be run");
        let ingress = Self {
            url: format!("http://127.0.0.1:{port}").parse().unwrap(),
            _processes: [api, controller],
        };
        let entrance = ingress.entrance();
        poll_until(
            "the page comes through the Ingress",
            ROUTES_WITHIN,
            async || {
                let answer = entrance.try_send(Call::get("/")).await.ok()?;
                (answer.status == 200).then_some(())
            },
        )
        .await;
        ingress
    }

    /// The one address for everything.
    pub(crate) fn entrance(&self) -> Entrance {
        Entrance::new(Addresses {
            order: vec![self.url.clone()],
            payment: self.url.clone(),
            web: self.url.clone(),
        })
    }
}

/// The API server without credentials on a port of the loopback: controllers inside a cluster have a token of their own.
async fn api_server_proxy() -> (Child, u16) {
    let mut child = Command::new("kubectl")
        .args(["proxy", "--port=0"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("kubectl can be run");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // "Starting to serve on 127.0.0.1:40123"
    let line = lines.next_line().await.unwrap().unwrap();
    let port = line.rsplit(':').next().unwrap().parse().unwrap();
    (child, port)
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}
