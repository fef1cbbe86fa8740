//! `gozon dead-letters`: look at what could not be settled, have it settled again, or give it up.

mod chosen;

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use messaging::dead_letter::MAX_LETTERS;
use serde_json::json;

use chosen::{Chosen, LetterName};

use super::{client::Client, print_json, render};
use crate::{
    config::{Environment, OperateArgs, OperateConfig},
    ops::{
        Service,
        dead_letters::{
            DeadLetterFilter, cancel, discard,
            list::{DeadLetterPage, Page},
            redrive::{Answer, Request},
            show::WholeDeadLetter,
        },
    },
};

/// Flags of `gozon dead-letters`.
#[derive(Debug, Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    command: DeadLettersCommand,
}

#[derive(Debug, Subcommand)]
enum DeadLettersCommand {
    /// The newest, counted by reason
    List {
        #[command(flatten)]
        chosen: Chosen,
        /// How many of each service at most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=500))]
        limit: i64,
        #[command(flatten)]
        operate: OperateArgs,
    },
    /// One whole, with headers and body
    Show {
        /// Which, as `list` names it: payment/17
        letter: LetterName,
        #[command(flatten)]
        operate: OperateArgs,
    },
    /// Have the services settle them again, through the same handler
    Redrive {
        #[command(flatten)]
        chosen: Chosen,
        /// All of them, where nothing narrower is said
        #[arg(long)]
        all: bool,
        /// How many of each service at most, oldest first
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        /// How many per second
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        rate: u32,
        /// Only say what it would do
        #[arg(long)]
        dry_run: bool,
        /// Why, for the operators' log
        #[arg(long)]
        why: Option<String>,
        #[command(flatten)]
        operate: OperateArgs,
    },
    /// Take a redrive back: what is not settled yet stays a dead letter
    CancelRedrive {
        #[command(flatten)]
        chosen: Chosen,
        /// All of them, where nothing narrower is said
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        operate: OperateArgs,
    },
    /// Give them up; a valid order that is given up is declined
    Discard {
        /// Which, as `list` names them: payment/17
        #[arg(required = true)]
        letters: Vec<LetterName>,
        /// Why, for the operators' log
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        operate: OperateArgs,
    },
}

/// Asks, does what was asked for, and prints.
pub(crate) async fn run(args: DeadLettersArgs, environment: &Environment) -> anyhow::Result<()> {
    let connect = |operate: &OperateArgs| Client::new(OperateConfig::read(operate, environment)?);
    match args.command {
        DeadLettersCommand::List {
            chosen,
            limit,
            operate,
        } => list(&connect(&operate)?, &chosen, limit, operate.json).await,
        DeadLettersCommand::Show { letter, operate } => {
            show(&connect(&operate)?, letter, operate.json).await
        }
        DeadLettersCommand::Redrive {
            chosen,
            all,
            limit,
            rate,
            dry_run,
            why,
            operate,
        } => {
            ensure!(
                all || !chosen.is_everything(),
                "this would settle every dead letter again: name some, narrow them down, or say --all"
            );
            let request = Request {
                filter: DeadLetterFilter::default(),
                limit: Some(limit),
                rate_per_second: Some(rate),
                id: None,
                reason: why,
                dry_run,
            };
            redrive(&connect(&operate)?, &chosen, &request, operate.json).await
        }
        DeadLettersCommand::CancelRedrive {
            chosen,
            all,
            operate,
        } => {
            ensure!(
                all || !chosen.is_everything(),
                "this would take back every redrive: name some letters, narrow them down, or say --all"
            );
            take_back(&connect(&operate)?, &chosen, operate.json).await
        }
        DeadLettersCommand::Discard {
            letters,
            reason,
            operate,
        } => give_up(&connect(&operate)?, &letters, &reason, operate.json).await,
    }
}

async fn list(client: &Client, chosen: &Chosen, limit: i64, as_json: bool) -> anyhow::Result<()> {
    let mut found = BTreeMap::new();
    for (service, filter) in chosen.filters()? {
        let ids: Vec<_> = filter.ids.iter().map(i64::to_string).collect();
        let page = Page {
            queue: filter.queue,
            reason: filter.reason,
            kind: filter.kind,
            min_age_seconds: filter.min_age_seconds,
            ids: (!ids.is_empty()).then(|| ids.join(",")),
            limit: Some(limit),
            cursor: None,
        };
        let page: Option<DeadLetterPage> = client.get(service, "dead-letters", &page).await?;
        found.extend(page.map(|page| (service.as_str(), page)));
    }
    if as_json {
        return print_json(&found);
    }
    let now = time::OffsetDateTime::now_utc();
    for (service, page) in &found {
        print!("{}", render::dead_letters::page(service, page, now));
    }
    Ok(())
}

async fn show(client: &Client, letter: LetterName, as_json: bool) -> anyhow::Result<()> {
    let LetterName { service, id } = letter;
    let path = format!("dead-letters/{id}");
    let whole: Option<WholeDeadLetter> = client.get(service, &path, &json!({})).await?;
    let whole = whole.with_context(|| {
        format!(
            "there is no dead letter {}/{id}: it was settled or discarded since; `gozon dead-letters list` shows the present ones",
            service.as_str()
        )
    })?;
    if as_json {
        return print_json(&whole);
    }
    print!("{}", render::dead_letters::whole(service.as_str(), &whole));
    Ok(())
}

async fn redrive(
    client: &Client,
    chosen: &Chosen,
    request: &Request,
    as_json: bool,
) -> anyhow::Result<()> {
    let mut done = BTreeMap::new();
    for (service, filter) in chosen.filters()? {
        let request = Request {
            filter,
            ..request.clone()
        };
        let answer: Answer = client
            .post(service, "dead-letters/redrive", &request)
            .await?;
        if !as_json {
            // Said at once: should the next service not answer, this one's letters are marked all the same.
            print!(
                "{}",
                render::dead_letters::redriven(service.as_str(), &answer)
            );
        }
        done.insert(service.as_str(), answer);
    }
    if as_json {
        return print_json(&done);
    }
    Ok(())
}

async fn take_back(client: &Client, chosen: &Chosen, as_json: bool) -> anyhow::Result<()> {
    let mut done = BTreeMap::new();
    for (service, filter) in chosen.filters()? {
        let request = cancel::Request {
            filter,
            ..cancel::Request::default()
        };
        // A request has its limit; what was asked for has none.
        let mut letters = 0;
        let answer = loop {
            let answer: cancel::Answer = client
                .post(service, "dead-letters/cancel-redrive", &request)
                .await?;
            letters += answer.letters;
            if i64::try_from(answer.letters).is_ok_and(|taken| taken < MAX_LETTERS) {
                break cancel::Answer { letters, ..answer };
            }
        };
        if !as_json {
            print!(
                "{}",
                render::dead_letters::taken_back(service.as_str(), &answer)
            );
        }
        done.insert(service.as_str(), answer);
    }
    if as_json {
        return print_json(&done);
    }
    Ok(())
}

async fn give_up(
    client: &Client,
    letters: &[LetterName],
    reason: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let mut done = BTreeMap::new();
    for service in Service::ALL {
        let own = letters.iter().filter(|letter| letter.service == service);
        let request = discard::Request {
            ids: own.map(|letter| letter.id).collect(),
            reason: reason.to_owned(),
        };
        if request.ids.is_empty() {
            continue;
        }
        let answer: discard::Answer = client
            .post(service, "dead-letters/discard", &request)
            .await?;
        if !as_json {
            print!(
                "{}",
                render::dead_letters::discarded(service.as_str(), &answer)
            );
        }
        done.insert(service.as_str(), answer);
    }
    if as_json {
        return print_json(&done);
    }
    Ok(())
}
