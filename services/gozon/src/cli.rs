//! The command line: a sub-command per role. Every setting is a flag and a variable; secrets are variables or files only.

use chassis::{
    Profile,
    telemetry::{LogFormat, OtlpProtocol, TelemetrySettings, TraceSettings},
};
use clap::{Args, Parser, Subcommand};
use contracts::service;

use crate::{
    config::{
        AllArgs, AuditArgs, MigrateArgs, OperatorArgs, OrderArgs, PaymentArgs, RelayArgs,
        SmokeArgs, WebArgs,
    },
    role::operate::{dead_letters::DeadLettersArgs, outbox::OutboxArgs, trace::TraceArgs},
};

/// Everything worth knowing, without the server's notice for each `if not exists` and the pool's note on each connection
/// that ended.
const DEFAULT_LOG: &str = "info,sqlx::postgres::notice=warn,sqlx_core::pool::inner=warn";

/// The order-and-payment backbone of an internet shop.
///
/// Secrets come from the environment, never from flags: a variable holds the value, or the same name with _FILE at its end
/// the path of a file that holds it.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The roles and commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve orders: /api/v1/orders and /api/v1/events
    Order(OrderArgs),
    /// Serve accounts and decide payments: /api/v1/account
    Payment(PaymentArgs),
    /// Carry one database's outbox to the broker
    Relay(RelayArgs),
    /// Serve the page, sessions and the API's documentation
    Web(WebArgs),
    /// Run every role but the operator in one process, on one port
    All(AllArgs),
    /// In Kubernetes: scale relays and redrive dead letters, as its resources say
    Operator(OperatorArgs),
    /// Create or upgrade both databases' schemas and the broker's topology
    Migrate(MigrateArgs),
    /// Check the promises over both databases: 0 all hold, 1 one is broken, 2 could not be checked
    Audit(AuditArgs),
    /// Place one order at a running shop and see it paid
    Smoke(SmokeArgs),
    /// For operators: what waits to be published, and who publishes it
    Outbox(OutboxArgs),
    /// For operators: what could not be settled; look at it, have it settled again
    DeadLetters(DeadLettersArgs),
    /// For operators: follow one order through both services
    Trace(TraceArgs),
    /// Print the table of all metrics: what each means, and what to do about it
    Metrics,
    /// Print the document of the public API (OpenAPI 3.1), from which the page's client is generated
    Openapi,
    /// Print the definitions of the operator's resources, for `kubectl apply`
    Crd,
}

/// What every command knows.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    /// `demo` or `production`
    #[arg(
        long,
        env = "GOZON_PROFILE",
        default_value = "production",
        global = true
    )]
    pub(crate) profile: Profile,
    /// Which log lines to write: a level, or levels by module (`info,order=debug`)
    #[arg(long, env = "GOZON_LOG", default_value = DEFAULT_LOG, global = true)]
    pub(crate) log: String,
    /// `json` or `text` [default: json in production, text in a demo]
    #[arg(long, env = "GOZON_LOG_FORMAT", global = true)]
    log_format: Option<LogFormat>,
    #[command(flatten)]
    traces: SpanArgs,
}

/// Where spans go.
#[derive(Debug, Args)]
struct SpanArgs {
    /// Address of an OpenTelemetry collector, as `http://collector:4317`; without one no spans are made
    #[arg(long, env = "GOZON_OTLP_ENDPOINT", global = true)]
    otlp_endpoint: Option<String>,
    /// `grpc` or `http`
    #[arg(
        long,
        env = "GOZON_OTLP_PROTOCOL",
        default_value = "grpc",
        global = true
    )]
    otlp_protocol: OtlpProtocol,
    /// Share of traces to record, of those that begin here: 0 to 1. A caller with a `traceparent` has decided for itself
    #[arg(long, env = "GOZON_TRACE_RATIO", default_value_t = 0.01, global = true)]
    trace_ratio: f64,
}

impl SpanArgs {
    fn settings(&self) -> Option<TraceSettings> {
        Some(TraceSettings {
            endpoint: self.otlp_endpoint.clone()?,
            protocol: self.otlp_protocol,
            ratio: self.trace_ratio,
            version: env!("CARGO_PKG_VERSION"),
        })
    }
}

impl Cli {
    /// What this process says about itself.
    pub(crate) fn telemetry(&self) -> TelemetrySettings<'_> {
        TelemetrySettings {
            format: self.common.log_format(),
            filter: &self.common.log,
            traces: self.common.traces.settings(),
            services: self.command.services(),
        }
    }
}

impl Command {
    /// The services it runs; none if it is over soon.
    const fn services(&self) -> &'static [&'static str] {
        match self {
            Self::Order(_) => &[service::ORDER],
            Self::Payment(_) => &[service::PAYMENT],
            Self::Relay(_) => &[service::RELAY],
            Self::Web(_) => &[service::WEB],
            Self::All(_) => &service::ALL,
            Self::Operator(_) => &[service::OPERATOR],
            Self::Migrate(_)
            | Self::Audit(_)
            | Self::Smoke(_)
            | Self::Outbox(_)
            | Self::DeadLetters(_)
            | Self::Trace(_)
            | Self::Metrics
            | Self::Openapi
            | Self::Crd => &[],
        }
    }
}

impl CommonArgs {
    fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or(match self.profile {
            Profile::Demo => LogFormat::Text,
            Profile::Production => LogFormat::Json,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_secret_is_a_flag() {
        let mut command = Cli::command();
        command.build();
        for role in command.get_subcommands() {
            for argument in role.get_arguments() {
                let name = argument.get_id().as_str();
                for secret in ["url_", "_url", "token", "password", "key", "secret"] {
                    assert!(!name.contains(secret), "{} --{name}", role.get_name());
                }
            }
        }
    }
}
