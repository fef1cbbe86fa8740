//! What the audit needs.

use std::time::Duration;

use clap::Args;
use secrecy::SecretString;

use super::{Database, Environment};

/// Flags of `gozon audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Write the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// An order may be undecided for this long, in seconds, before it is stuck
    #[arg(
        long,
        env = "GOZON_AUDIT_STUCK_AFTER_SECONDS",
        default_value_t = 60,
        value_name = "SECONDS"
    )]
    stuck_after: u32,
    /// How many examples to show of each finding
    #[arg(long, default_value_t = 5, value_name = "NUMBER")]
    examples: u16,
}

/// The audit's configuration.
#[derive(Debug)]
pub(crate) struct AuditConfig {
    pub(crate) orders_url: SecretString,
    pub(crate) payments_url: SecretString,
    pub(crate) stuck_after: Duration,
    pub(crate) examples: u16,
}

impl AuditConfig {
    pub(crate) fn read(args: &AuditArgs, environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            orders_url: environment.secret(Database::Orders.audit_url_name())?,
            payments_url: environment.secret(Database::Payments.audit_url_name())?,
            stuck_after: Duration::from_secs(args.stuck_after.into()),
            examples: args.examples,
        })
    }
}
