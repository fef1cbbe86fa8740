//! Dead letters over the operators' API: which there are, what has been asked of the service, and asking it.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{
    Ops, OpsError,
    wire::{LetterPage, LetterView, OperationPage, OperationView},
};
use crate::{
    redriving::{Letter, Mark, Question, Seen},
    resource::{Redrive, RedriveFilter, Service},
};

/// How many dead letters are asked for at a time: the most that the service gives.
const PAGE: usize = 500;

/// How many pages are read in search of the oldest letters. The service lists the newest first.
const PAGES_MAX: usize = 100;

impl Ops {
    /// Asks what a redrive has to know.
    pub async fn see(&self, redrive: &Redrive, question: &Question) -> Result<Seen, OpsError> {
        match question {
            Question::Matching => self.matching(redrive).await,
            Question::Following { ids } => {
                // The log first: a letter must not be seen without the mark of a request that the log has.
                let record = self.recorded(redrive).await?;
                let mut letters = Vec::new();
                for ids in ids.chunks(PAGE) {
                    letters.extend(self.letters(redrive, ids).await?);
                }
                Ok(Seen::Following {
                    operation_id: record.as_ref().map(|record| record.id),
                    died_again: record.map_or(0, |record| record.died_again()),
                    letters,
                })
            }
            Question::Nothing => Ok(Seen::Nothing),
        }
    }

    /// Has the service settle these letters again. Under the resource's id it does so once, however often it is asked.
    pub async fn redrive(&self, redrive: &Redrive, ids: &[i64]) -> Result<(), OpsError> {
        let body = json!({
            "filter": {"ids": ids},
            "limit": ids.len(),
            "rate_per_second": redrive.spec.rate_per_second,
            "request_id": redrive.metadata.uid,
            "reason": reason(redrive),
        });
        let path = "dead-letters/redrive";
        let _: Value = self.post(redrive.spec.service, path, &body).await?;
        Ok(())
    }

    /// Takes back what of these the resource has asked for and is not settled yet; what others asked for stays theirs.
    pub async fn take_back(&self, redrive: &Redrive, ids: &[i64]) -> Result<(), OpsError> {
        let body = json!({
            "filter": {"ids": ids},
            "request_id": redrive.metadata.uid,
            "reason": reason(redrive),
        });
        let path = "dead-letters/cancel-redrive";
        let _: Value = self.post(redrive.spec.service, path, &body).await?;
        Ok(())
    }

    async fn matching(&self, redrive: &Redrive) -> Result<Seen, OpsError> {
        let service = redrive.spec.service;
        let wanted = usize::try_from(redrive.spec.limit).unwrap_or_default();
        let mut matched = None;
        let mut letters = VecDeque::new();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .letter_page(service, filter(&redrive.spec.filter), cursor)
                .await?;
            let all = page.by_reason.iter().map(|count| count.letters).sum();
            matched.get_or_insert(all);
            letters.extend(page.items.into_iter().map(|view| letter(view, redrive)));
            keep_oldest(&mut letters, wanted);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(Seen::Matching {
                    matched: matched.unwrap_or_default(),
                    letters: letters.into(),
                });
            }
        }
        Err(OpsError::Refused {
            service,
            why: format!(
                "more than {} dead letters, and the oldest are asked for: narrow the filter",
                PAGES_MAX * PAGE
            ),
        })
    }

    async fn letters(&self, redrive: &Redrive, ids: &[i64]) -> Result<Vec<Letter>, OpsError> {
        let service = redrive.spec.service;
        let page = self.letter_page(service, of_ids(ids), None).await?;
        let views = page.items.into_iter();
        Ok(views.map(|view| letter(view, redrive)).collect())
    }

    async fn letter_page(
        &self,
        service: Service,
        mut query: Vec<(&str, String)>,
        cursor: Option<i64>,
    ) -> Result<LetterPage, OpsError> {
        query.push(("limit", PAGE.to_string()));
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_string())));
        self.get(service, "dead-letters", &query).await
    }

    /// The record of the redrive in the operators' log, if it was asked for.
    async fn recorded(&self, redrive: &Redrive) -> Result<Option<OperationView>, OpsError> {
        let id = redrive.metadata.uid.clone().unwrap_or_default();
        let query = [("request_id", id)];
        let page: OperationPage = self.get(redrive.spec.service, "operations", &query).await?;
        Ok(page.items.into_iter().next())
    }
}

/// Which resource asks, and what its author says. Who that was the API server's audit log has under the same id.
fn reason(redrive: &Redrive) -> String {
    let meta = &redrive.metadata;
    let [namespace, name, id] =
        [&meta.namespace, &meta.name, &meta.uid].map(|part| part.as_deref().unwrap_or_default());
    let said = redrive.spec.reason.as_deref();
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    format!("Redrive {namespace}/{name} ({id}){said}")
}

/// The letters come newest first; of those that nobody has asked for yet so many of the oldest are kept as may be chosen.
fn keep_oldest(letters: &mut VecDeque<Letter>, wanted: usize) {
    let mut free = letters
        .iter()
        .filter(|letter| letter.mark == Mark::None)
        .count();
    while free > wanted {
        let newest = letters.pop_front();
        free -= usize::from(newest.is_some_and(|letter| letter.mark == Mark::None));
    }
}

fn filter(filter: &RedriveFilter) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    query.extend(filter.queue.clone().map(|queue| ("queue", queue)));
    query.extend(filter.reason.clone().map(|reason| ("reason", reason)));
    query.extend(filter.kind.clone().map(|kind| ("type", kind)));
    query.extend(
        filter
            .min_age_seconds
            .map(|seconds| ("min_age_seconds", seconds.to_string())),
    );
    if !filter.ids.is_empty() {
        query.extend(of_ids(&filter.ids));
    }
    query
}

fn of_ids(ids: &[i64]) -> Vec<(&'static str, String)> {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    vec![("ids", ids.join(","))]
}

/// A letter as one resource sees it.
fn letter(view: LetterView, redrive: &Redrive) -> Letter {
    let is_own = view.redrive_request_id == redrive.metadata.uid;
    Letter {
        id: view.id,
        attempts: view.attempts,
        mark: match view.redrive_at {
            None => Mark::None,
            Some(_) if is_own => Mark::Own,
            Some(_) => Mark::Others,
        },
        kind: view.kind,
        reason: view.reason,
        detail: view.detail,
        trace_id: view.trace_id,
    }
}
