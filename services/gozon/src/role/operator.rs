//! `gozon operator`: scales relays and redrives dead letters in a cluster. It serves nothing but its admin endpoints.

use anyhow::Context;
use chassis::{Stage, trace::TraceOptions};
use contracts::service;
use operator::{Metrics, Operator, Settings};

use crate::{
    config::{Environment, OperatorArgs, OperatorConfig, ServeConfig},
    process::{Base, Process},
};

/// Runs until it is stopped.
pub(crate) async fn run(
    args: &OperatorArgs,
    base: Base,
    environment: &Environment,
) -> anyhow::Result<()> {
    let config = OperatorConfig::read(args, environment)?;
    let serve = ServeConfig::new(&args.serve, base.profile);
    let trace = TraceOptions {
        service: service::OPERATOR,
        sampling: base.sampling,
    };
    let mut process = Process::start("operator", serve, base).await?;
    let metrics = Metrics::register(&mut process.metrics.registry);
    let settings = Settings {
        addresses: config.addresses,
        token: config.token,
        lease: config.lease,
        identity: config.identity,
        namespace: config.namespace,
        trace,
    };
    let operator = Operator::new(settings, metrics)
        .await
        .context("the operator cannot begin")?;
    let contact = operator.contact();
    // One that stands by is ready, too: it is all that a standby has to be.
    process.check("API server", move || {
        let answer = contact.check().map_err(Into::into);
        std::future::ready(answer)
    });
    let stop = process.lifecycle().token(Stage::Consume);
    process
        .lifecycle()
        .spawn(Stage::Consume, "operator", async move {
            operator.run(stop).await;
            Ok(())
        });
    process.run(None).await
}

#[cfg(test)]
mod tests {
    use messaging::{failure::ReasonClass, lane::LANES};

    /// The definitions as one line, for they break long ones.
    fn definitions() -> String {
        let words = operator::definitions();
        let words: Vec<_> = words.split_whitespace().collect();
        words.join(" ")
    }

    #[test]
    fn there_may_be_as_many_relays_as_an_outbox_has_lanes() {
        assert_eq!(operator::resource::LANES, i32::from(LANES));
        let definitions = definitions();
        assert!(definitions.contains(&format!("rule: self <= {LANES} ")));
        assert!(definitions.contains(&format!("an outbox has {LANES} lanes")));
    }

    #[test]
    fn letters_are_chosen_by_every_reason_for_which_they_die_and_no_other() {
        let reasons = ReasonClass::ALL.map(ReasonClass::as_str);
        let definitions = definitions();
        let rule = format!("self in ['{}']", reasons.join("', '"));
        assert!(definitions.contains(&rule), "{rule}");
        let words = format!("filter.reason is none of {}", reasons.join(", "));
        assert!(definitions.contains(&words), "{words}");
    }
}
