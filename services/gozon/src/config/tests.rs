//! Configuration read from arguments and an environment made for the test.

use clap::Parser;

use super::*;
use crate::cli::{Cli, Command};

const SESSION_KEY: &str = "c2VzaG9uLWtleS1zZXNzaW9uLWtleS1zZXNzaW9uLWtleQ";
const PASSWORD: &str = "correct-horse-battery";

/// An environment in which everything is set.
fn complete() -> Vec<(String, String)> {
    let postgres = |role: &str, database: &str| {
        format!("postgres://{role}:{PASSWORD}@127.0.0.1:5432/{database}")
    };
    let mut variables = vec![("GOZON_SESSION_KEYS".to_owned(), SESSION_KEY.to_owned())];
    for database in ["orders", "payments"] {
        for role in ["api", "writer", "relay", "owner"] {
            let name = format!("GOZON_{database}_{role}_URL").to_uppercase();
            variables.push((name, postgres(role, database)));
        }
    }
    for user in ["service", "relay", "owner"] {
        let name = format!("GOZON_AMQP_{user}_URL").to_uppercase();
        let url = format!("amqp://{user}:{PASSWORD}@127.0.0.1:5672/gozon");
        variables.push((name, url));
    }
    variables
}

fn environment(variables: Vec<(String, String)>) -> Environment {
    variables.into_iter().collect()
}

fn all(arguments: &[&str], environment: &Environment) -> anyhow::Result<AllConfig> {
    let cli = Cli::try_parse_from(["gozon", "all"].iter().chain(arguments)).unwrap();
    let Command::All(args) = cli.command else {
        panic!("another command");
    };
    AllConfig::read(&args, cli.common.profile, environment)
}

fn refusal(variables: Vec<(String, String)>) -> String {
    let environment = environment(variables);
    format!(
        "{:#}",
        all(&["--profile", "demo"], &environment).unwrap_err()
    )
}

#[test]
fn no_secret_is_shown_by_debug() {
    let environment = environment(complete());
    let config = all(&["--profile", "demo"], &environment).unwrap();
    let shown = format!("{config:#?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert!(!shown.contains(SESSION_KEY), "{shown}");

    let cli = Cli::try_parse_from(["gozon", "migrate"]).unwrap();
    let Command::Migrate(args) = cli.command else {
        panic!("another command");
    };
    let config = MigrateConfig::read(args, cli.common.profile, &environment).unwrap();
    let shown = format!("{config:#?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[test]
fn a_missing_secret_is_named() {
    for missing in ["GOZON_PAYMENTS_WRITER_URL", "GOZON_SESSION_KEYS"] {
        let mut variables = complete();
        variables.retain(|(name, _)| name != missing);
        let said = refusal(variables);
        assert!(said.contains(missing), "{said}");
        assert!(said.contains(&format!("{missing}_FILE")), "{said}");
    }
}

#[test]
fn a_secret_that_is_no_good_is_named_and_not_shown() {
    for (name, value) in [
        ("GOZON_AMQP_RELAY_URL", "http://relay:hunter2@127.0.0.1"),
        ("GOZON_SESSION_KEYS", "hunter2"),
        ("GOZON_ORDERS_API_URL", " "),
    ] {
        let mut variables = complete();
        variables.retain(|(other, _)| other != name);
        variables.push((name.to_owned(), value.to_owned()));
        let said = refusal(variables);
        assert!(said.contains(name), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_both() {
    let path = std::env::temp_dir().join(format!("gozon-secret-{}", uuid::Uuid::new_v4()));
    std::fs::write(&path, format!("{SESSION_KEY}\n")).unwrap();
    let with_file = |mut variables: Vec<(String, String)>| {
        variables.push((
            "GOZON_SESSION_KEYS_FILE".to_owned(),
            path.display().to_string(),
        ));
        variables
    };
    let both = refusal(with_file(complete()));
    assert!(both.contains("both set"), "{both}");
    let mut variables = complete();
    variables.retain(|(name, _)| name != "GOZON_SESSION_KEYS");
    let environment = environment(with_file(variables));
    assert!(all(&["--profile", "demo"], &environment).is_ok());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn the_demo_identity_is_refused_in_production() {
    let environment = environment(complete());
    let said = all(&["--profile", "production"], &environment)
        .unwrap_err()
        .to_string();
    assert!(said.contains("demo identity"), "{said}");
    assert!(
        all(
            &["--profile", "production", "--identity", "none"],
            &environment
        )
        .is_ok()
    );
}

#[test]
fn a_demo_listens_on_this_machine_only() {
    let listen = |arguments: &[&str]| {
        let cli = Cli::try_parse_from(["gozon", "all"].iter().chain(arguments)).unwrap();
        let Command::All(args) = cli.command else {
            panic!("another command");
        };
        let config = ServeConfig::new(&args.serve, cli.common.profile);
        config.bind.to_string()
    };
    assert_eq!(listen(&["--profile", "demo"]), "127.0.0.1");
    assert_eq!(listen(&["--profile", "production"]), "0.0.0.0");
    assert_eq!(
        listen(&["--profile", "demo", "--bind", "0.0.0.0"]),
        "0.0.0.0"
    );
}
