//! What an operator's command needs: where the shop is, and the operators' token.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use secrecy::SecretString;
use url::{Host, Url};

use super::{Environment, secret_names::OPERATOR_TOKEN};

/// Where `make run` keeps the token, from the folder of the checkout on.
const LOCAL_TOKEN: &str = ".local/operator-token";

/// Flags of every operator's command.
#[derive(Debug, Args)]
pub(crate) struct OperateArgs {
    /// Where the shop is
    #[arg(long, env = "GOZON_URL", default_value = "http://localhost:8080")]
    url: Url,
    /// Write JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// An operator's configuration.
#[derive(Debug)]
pub(crate) struct OperateConfig {
    pub(crate) url: Url,
    pub(crate) token: SecretString,
}

impl OperateConfig {
    pub(crate) fn read(args: &OperateArgs, environment: &Environment) -> anyhow::Result<Self> {
        let token = match environment.optional_secret(OPERATOR_TOKEN)? {
            Some(token) => token,
            None => local_token(&args.url, &std::env::current_dir().unwrap_or_default())?,
        };
        Ok(Self {
            url: args.url.clone(),
            token,
        })
    }
}

/// The token of the checkout that `folder` is in; it is sent to this machine alone.
fn local_token(url: &Url, folder: &Path) -> anyhow::Result<SecretString> {
    let file = folder.ancestors().map(|folder| folder.join(LOCAL_TOKEN));
    let token = file
        .filter(|_| is_this_machine(url))
        .find_map(|file: PathBuf| std::fs::read_to_string(file).ok());
    match token {
        Some(token) => Ok(SecretString::from(token.trim())),
        None => bail!(
            "there is no operators' token: set {OPERATOR_TOKEN}, or {OPERATOR_TOKEN}_FILE to the path of a file that \
             holds it; for a shop that `make run` started on this machine, {LOCAL_TOKEN} in its checkout does"
        ),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_checkouts_token_is_found_from_inside_it_and_stays_on_this_machine() {
        let checkout = std::env::temp_dir().join(format!("gozon-{}", uuid::Uuid::new_v4()));
        let inside = checkout.join("services/gozon");
        std::fs::create_dir_all(checkout.join(".local")).unwrap();
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(checkout.join(LOCAL_TOKEN), "abc\n").unwrap();
        let ask = |url: &str, folder: &Path| local_token(&url.parse().unwrap(), folder);
        for url in [
            "http://localhost:8080",
            "http://127.0.0.1:9080/",
            "http://[::1]/",
        ] {
            assert_eq!(ask(url, &inside).unwrap().expose_secret(), "abc", "{url}");
        }
        for url in [
            "https://shop.example",
            "http://10.0.0.1",
            "http://localhost.example",
        ] {
            let said = ask(url, &inside).unwrap_err().to_string();
            assert!(said.contains("GOZON_OPERATOR_TOKEN_FILE"), "{url}: {said}");
        }
        assert!(ask("http://localhost:8080", Path::new("/")).is_err());
        std::fs::remove_dir_all(checkout).unwrap();
    }
}
