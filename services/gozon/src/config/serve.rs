//! Where a process listens, and how it stops.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use chassis::Profile;
use clap::Args;

/// Flags of every process that runs until it is stopped.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArgs {
    /// Port of the public API; 0 picks a free one
    #[arg(long, env = "GOZON_PORT", default_value_t = 8080)]
    port: u16,
    /// Port of the admin endpoints /livez, /readyz, /metrics and PUT /log-level; 0 picks a free one
    #[arg(long, env = "GOZON_ADMIN_PORT", default_value_t = 8081)]
    admin_port: u16,
    /// Address to listen on [default: 0.0.0.0 in production, 127.0.0.1 in a demo]
    #[arg(long, env = "GOZON_BIND")]
    bind: Option<IpAddr>,
    /// How long a stop may take before the process ends all the same
    #[arg(long, env = "GOZON_GRACE_SECONDS", default_value_t = 20)]
    grace_seconds: u64,
}

/// Where a process listens, and how long its stop may take.
#[derive(Debug, Clone)]
pub(crate) struct ServeConfig {
    pub(crate) bind: IpAddr,
    pub(crate) port: u16,
    pub(crate) admin_port: u16,
    pub(crate) grace: Duration,
}

impl ServeConfig {
    pub(crate) fn new(args: &ServeArgs, profile: Profile) -> Self {
        // A demo lets anybody be anyone: only who sits at the machine may, unless told otherwise.
        let default = match profile {
            Profile::Demo => Ipv4Addr::LOCALHOST,
            Profile::Production => Ipv4Addr::UNSPECIFIED,
        };
        Self {
            bind: args.bind.unwrap_or(IpAddr::V4(default)),
            port: args.port,
            admin_port: args.admin_port,
            grace: Duration::from_secs(args.grace_seconds),
        }
    }
}
