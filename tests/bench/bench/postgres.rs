//! The Postgres instance under test, asked through its own `psql`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ::tests::instance::setting;
use anyhow::{Context, bail, ensure};
use url::Url;

/// An instance, with a superuser's access.
#[derive(Debug)]
pub(crate) struct Postgres {
    psql: PathBuf,
    admin: Url,
    /// The process that all its sessions descend from.
    pub(crate) process: u32,
}

/// Settings without which an answered order might not be on disk.
const DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];

impl Postgres {
    pub(crate) fn of_environment(process: u32) -> anyhow::Result<Self> {
        Ok(Self {
            psql: required("GOZON_PSQL")?.into(),
            admin: required("GOZON_POSTGRES_ADMIN_URL")?
                .parse()
                .context("GOZON_POSTGRES_ADMIN_URL is no URL")?,
            process,
        })
    }

    /// Refuses an instance that is fast because it may forget.
    pub(crate) fn require_durability(&self) -> anyhow::Result<()> {
        for name in DURABLE {
            let value = self.ask("postgres", &format!("show {name}"))?;
            ensure!(
                value == "on",
                "Postgres runs with {name} = {value}, so its figures would mean nothing: set it to `on` and start again"
            );
        }
        let exceptions = self.ask(
            "postgres",
            "select count(*) from pg_db_role_setting, unnest(setconfig) as setting
             where setting ~ '^(fsync|synchronous_commit|full_page_writes)='",
        )?;
        ensure!(
            exceptions == "0",
            "a role or database has durability settings of its own: `alter role … reset synchronous_commit` and start again"
        );
        Ok(())
    }

    /// Runs SQL in a database and gives what it prints, columns separated by `|`.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let output = self
            .command("psql", database)
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", sql])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{} cannot be run", self.psql.display()))?;
        if !output.status.success() {
            bail!(
                "psql failed in {database}: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A program of this Postgres, told by its environment where to connect: a command line can be read by everyone.
    pub(crate) fn command(&self, program: &str, database: &str) -> Command {
        let folder = self.psql.parent().unwrap_or_else(|| Path::new(""));
        let mut command = Command::new(folder.join(program));
        command
            .env("PGHOST", self.admin.host_str().unwrap_or("127.0.0.1"))
            .env("PGPORT", self.admin.port().unwrap_or(5432).to_string())
            .env("PGUSER", self.admin.username())
            .env("PGPASSWORD", self.admin.password().unwrap_or_default())
            .env("PGDATABASE", database);
        command
    }
}

/// A setting that the script exports.
pub(crate) fn required(name: &str) -> anyhow::Result<String> {
    setting(name).with_context(|| format!("{name} is not set: run `make bench`"))
}
