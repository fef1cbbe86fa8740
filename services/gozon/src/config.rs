//! The configuration: one type per role, so that a role that started has all it needs, and secrets that never print.

mod all;
mod audit;
mod database;
mod environment;
mod migrate;
mod operate;
mod operator;
mod order;
mod payment;
mod relay;
mod secret_names;
mod serve;
mod smoke;
mod web;

pub(crate) use all::{AllArgs, AllConfig};
pub(crate) use audit::{AuditArgs, AuditConfig};
pub(crate) use database::Database;
pub(crate) use environment::Environment;
pub(crate) use migrate::{DatabaseToMigrate, MigrateArgs, MigrateConfig};
pub(crate) use operate::{OperateArgs, OperateConfig};
pub(crate) use operator::{OperatorArgs, OperatorConfig};
pub(crate) use order::{OrderArgs, OrderConfig};
pub(crate) use payment::{PaymentArgs, PaymentConfig};
pub(crate) use relay::{RelayArgs, RelayConfig};
pub(crate) use serve::{ServeArgs, ServeConfig};
pub(crate) use smoke::{SmokeArgs, SmokeConfig};
pub(crate) use web::{Identity, WebArgs, WebConfig};

#[cfg(test)]
mod tests;
