//! A logical copy of a database: dumped from one cluster and restored into another, as after the loss of a server.

use std::{path::PathBuf, process::Stdio};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};
use url::Url;

use super::TestDatabase;
use crate::Instance;

impl TestDatabase {
    /// Dumps it and restores it into a new database on another instance, which has the same roles.
    ///
    /// # Panics
    /// When the tools are not there or refuse.
    pub async fn copied_to(&self, instance: &Instance) -> Self {
        let copy = Self::create_on(instance, self.service).await;
        let dumping = tool(instance, "pg_dump", &self.admin, &["--format=custom"]);
        let dump = succeed("pg_dump", dumping).await;
        let mut restoring = tool(instance, "pg_restore", &copy.admin, &["--exit-on-error"]);
        let mut input = restoring.stdin.take().expect("its input was asked for");
        let writing = async move {
            input
                .write_all(&dump)
                .await
                .expect("pg_restore reads it all");
            // Its end is the end of the dump.
            drop(input);
        };
        tokio::join!(writing, succeed("pg_restore", restoring));
        copy
    }
}

/// Starts a tool of Postgres on a database. The password goes by the environment, because a command line can be read by
/// everyone on the machine.
fn tool(instance: &Instance, name: &str, database: &Url, arguments: &[&str]) -> Child {
    let path = PathBuf::from(instance.value("GOZON_PSQL")).with_file_name(name);
    let mut address = database.clone();
    let password = database.password().unwrap_or_default().to_owned();
    address
        .set_password(None)
        .expect("a database's URL has a place for a password");
    Command::new(path)
        .args(arguments)
        .args(["--dbname", address.as_str()])
        .env("PGPASSWORD", password)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{name} cannot be run: {error}"))
}

async fn succeed(name: &str, tool: Child) -> Vec<u8> {
    let output = tool.wait_with_output().await;
    let output = output.expect("our own child can be waited for");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} failed:\n{said}");
    output.stdout
}
