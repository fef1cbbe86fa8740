//! What migrating needs: owners' connections, and the names of the login roles to grant to.

use chassis::Profile;
use clap::Args;
use messaging::{broker::BrokerUrl, schema::Roles};
use secrecy::SecretString;

use super::{Database, Environment, secret_names::AMQP_OWNER_URL};

/// Flags of `gozon migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Only this database
    #[arg(long, value_enum)]
    database: Option<Database>,
    /// Leave the broker's topology alone
    #[arg(long)]
    skip_broker: bool,
    #[command(flatten)]
    orders: OrdersRoles,
    #[command(flatten)]
    payments: PaymentsRoles,
}

/// The orders database's login roles, created by whoever set the database up.
#[derive(Debug, Args)]
#[allow(clippy::struct_field_names, reason = "the fields are the flags' names")]
struct OrdersRoles {
    /// Login role that reads for the API
    #[arg(long, env = "GOZON_ORDERS_API_ROLE", default_value = "orders_api")]
    orders_api_role: String,
    /// Login role that writes
    #[arg(
        long,
        env = "GOZON_ORDERS_WRITER_ROLE",
        default_value = "orders_writer"
    )]
    orders_writer_role: String,
    /// Login role of relays
    #[arg(long, env = "GOZON_ORDERS_RELAY_ROLE", default_value = "orders_relay")]
    orders_relay_role: String,
    /// Login role that only reads
    #[arg(long, env = "GOZON_ORDERS_AUDIT_ROLE", default_value = "orders_audit")]
    orders_audit_role: String,
    /// In a demo: the role that may list everybody's orders
    #[arg(
        long,
        env = "GOZON_ORDERS_EVERYONE_ROLE",
        default_value = "orders_everyone"
    )]
    orders_everyone_role: String,
}

/// The payments database's login roles.
#[derive(Debug, Args)]
#[allow(clippy::struct_field_names, reason = "the fields are the flags' names")]
struct PaymentsRoles {
    /// Login role that reads for the API
    #[arg(long, env = "GOZON_PAYMENTS_API_ROLE", default_value = "payments_api")]
    payments_api_role: String,
    /// Login role that writes
    #[arg(
        long,
        env = "GOZON_PAYMENTS_WRITER_ROLE",
        default_value = "payments_writer"
    )]
    payments_writer_role: String,
    /// Login role of relays
    #[arg(
        long,
        env = "GOZON_PAYMENTS_RELAY_ROLE",
        default_value = "payments_relay"
    )]
    payments_relay_role: String,
    /// Login role that only reads
    #[arg(
        long,
        env = "GOZON_PAYMENTS_AUDIT_ROLE",
        default_value = "payments_audit"
    )]
    payments_audit_role: String,
}

/// What to migrate.
#[derive(Debug)]
pub(crate) struct MigrateConfig {
    pub(crate) databases: Vec<DatabaseToMigrate>,
    /// Whose topology to declare; none leaves the broker alone.
    pub(crate) broker: Option<BrokerUrl>,
}

/// One database, opened as its owner, and the roles to grant to.
#[derive(Debug)]
pub(crate) struct DatabaseToMigrate {
    pub(crate) database: Database,
    pub(crate) owner_url: SecretString,
    pub(crate) roles: Roles,
}

impl MigrateConfig {
    pub(crate) fn read(
        args: MigrateArgs,
        profile: Profile,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let broker = if args.skip_broker {
            None
        } else {
            Some(environment.broker(AMQP_OWNER_URL)?)
        };
        let chosen = args.database;
        let databases = [
            (Database::Orders, args.orders.into_roles(profile)),
            (Database::Payments, args.payments.into_roles()),
        ]
        .into_iter()
        .filter(|(database, _)| chosen.is_none_or(|chosen| chosen == *database))
        .map(|(database, roles)| {
            Ok(DatabaseToMigrate {
                database,
                owner_url: environment.secret(database.owner_url_name())?,
                roles,
            })
        })
        .collect::<anyhow::Result<_>>()?;
        Ok(Self { databases, broker })
    }
}

impl OrdersRoles {
    fn into_roles(self, profile: Profile) -> Roles {
        Roles {
            api: self.orders_api_role,
            writer: self.orders_writer_role,
            relay: self.orders_relay_role,
            audit: self.orders_audit_role,
            everyone: profile.is_demo().then_some(self.orders_everyone_role),
        }
    }
}

impl PaymentsRoles {
    fn into_roles(self) -> Roles {
        Roles {
            api: self.payments_api_role,
            writer: self.payments_writer_role,
            relay: self.payments_relay_role,
            audit: self.payments_audit_role,
            everyone: None,
        }
    }
}
