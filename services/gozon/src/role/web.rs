//! `gozon web`: the page, sessions and the documentation of the API.

use contracts::service;

use crate::{
    config::{Environment, ServeConfig, WebArgs, WebConfig},
    process::{Base, Process},
    web,
};

/// Runs until it is stopped.
pub(crate) async fn run(
    args: &WebArgs,
    base: Base,
    environment: &Environment,
) -> anyhow::Result<()> {
    let config = WebConfig::read(&args.web, base.profile, environment)?;
    let serve = ServeConfig::new(&args.serve, base.profile);
    let process = Process::start("web", serve, base).await?;
    let listener = process.open_public_port().await?;
    let router = process.finish(service::WEB, web::router(&config));
    process.run(Some((listener, router))).await
}
