//! Fixtures: what tests see of the world outside the crate under test. A database and a vhost of one's own for
//! integration tests; the running shop and its customers for end-to-end tests.

pub mod audit;
mod background;
pub mod backing;
pub mod broker;
pub mod collector;
pub mod customer;
pub mod database;
pub mod entrance;
pub mod exposition;
pub mod follow;
mod http;
pub mod instance;
mod leftovers;
mod logs;
pub mod measure;
pub mod original;
pub mod plan;
pub mod poll;
mod process;
mod program;
pub mod prometheus;
mod proxy;
pub mod series;
pub mod shop;
pub mod vhost;
pub mod visit;
mod watchdog;
pub mod wire;

pub use audit::Audit;
pub use backing::Backing;
pub use broker::RawBroker;
pub use collector::Collector;
pub use customer::Customer;
pub use database::{Login, Service, TestDatabase};
pub use entrance::{Answer, Entrance};
pub use exposition::Exposition;
pub use follow::Follow;
pub use http::http_client;
pub use instance::{Instance, setting};
pub use original::Original;
pub use poll::poll_until;
pub use process::gozon;
pub use program::Version;
pub use prometheus::Prometheus;
pub use proxy::Proxy;
pub use series::Series;
pub use shop::{Role, Shop};
pub use vhost::{BrokerUser, TestVhost};
pub use wire::Wire;

/// The clients these fixtures show through, so that a crate under test needs no dependency of its own on them.
pub use {lapin, reqwest};
