//! What the page and its sessions need.

use std::time::Duration;

use anyhow::ensure;
use chassis::{Profile, SessionKeys, identity::OperatorKey};
use clap::{Args, ValueEnum};

use super::{Environment, ServeArgs};

/// Flags of `gozon web`.
#[derive(Debug, Args)]
pub(crate) struct WebArgs {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    #[command(flatten)]
    pub(crate) web: WebFlags,
}

/// Flags of the page, wherever it runs.
#[derive(Debug, Args)]
pub(crate) struct WebFlags {
    /// How people prove who they are; `demo` is refused in production
    #[arg(long, env = "GOZON_IDENTITY", value_enum, default_value_t = Identity::Demo)]
    identity: Identity,
    /// How long a session is valid
    #[arg(long, env = "GOZON_SESSION_HOURS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=720))]
    session_hours: u32,
}

/// How people prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Identity {
    /// A person types a user id and is believed.
    Demo,
    /// Nobody signs in here: sessions are issued elsewhere, with the same keys.
    None,
}

/// The page's configuration.
#[derive(Debug)]
pub(crate) struct WebConfig {
    pub(crate) profile: Profile,
    pub(crate) identity: Identity,
    pub(crate) session_keys: SessionKeys,
    pub(crate) operator_key: OperatorKey,
    pub(crate) session_lifetime: Duration,
}

impl WebConfig {
    pub(crate) fn read(
        flags: &WebFlags,
        profile: Profile,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        ensure!(
            profile.is_demo() || flags.identity != Identity::Demo,
            "the demo identity lets anybody be anyone, so it is refused in production: set GOZON_IDENTITY=none, or \
             GOZON_PROFILE=demo if this is one"
        );
        Ok(Self {
            profile,
            identity: flags.identity,
            session_keys: environment.session_keys()?,
            operator_key: environment.operator_key()?,
            session_lifetime: Duration::from_hours(u64::from(flags.session_hours)),
        })
    }
}
