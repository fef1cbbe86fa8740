//! Dead letters over the operators' API: which there are, what has been asked of the service, and asking it.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{
    Ops, OpsError,
    wire::{LetterPage, LetterView, OperationPage, OperationView},
};
use crate::{
    redriving::{Letter, Question, Record, Seen},
    resource::{Redrive, RedriveFilter, Service},
};

/// How many dead letters are asked for at a time: the most that the service gives.
const PAGE: usize = 500;

/// How many pages are read in search of the oldest letters. The service lists the newest first.
const PAGES_MAX: usize = 100;

/// How many operations are asked for at a time.
const OPERATIONS: usize = 200;

impl Ops {
    /// Asks what a redrive has to know.
    pub async fn see(&self, redrive: &Redrive, question: &Question) -> Result<Seen, OpsError> {
        let service = redrive.spec.service;
        match question {
            Question::Matching => self.matching(redrive).await,
            Question::Following { ids, log_mark } => {
                // The log first: a letter must not be seen without the mark of a request that the log has.
                let log = self.log_behind(service, *log_mark).await?;
                let mut letters = Vec::new();
                for ids in ids.chunks(PAGE) {
                    letters.extend(self.letters(service, ids).await?);
                }
                Ok(Seen::Following { log, letters })
            }
            Question::Nothing => Ok(Seen::Nothing),
        }
    }

    /// Has the service settle these letters again.
    pub async fn redrive(&self, redrive: &Redrive, ids: &[i64]) -> Result<(), OpsError> {
        let body = json!({
            "filter": {"ids": ids},
            "limit": ids.len(),
            "rate_per_second": redrive.spec.rate_per_second,
        });
        let path = "dead-letters/redrive";
        let _: Value = self.post(redrive.spec.service, path, &body).await?;
        Ok(())
    }

    /// Takes back what of these is not settled yet.
    pub async fn take_back(&self, service: Service, ids: &[i64]) -> Result<(), OpsError> {
        let body = json!({"filter": {"ids": ids}});
        let path = "dead-letters/cancel-redrive";
        let _: Value = self.post(service, path, &body).await?;
        Ok(())
    }

    async fn matching(&self, redrive: &Redrive) -> Result<Seen, OpsError> {
        let service = redrive.spec.service;
        let newest: OperationPage = self
            .get(service, "operations", &[("limit", "1".into())])
            .await?;
        let log_mark = newest.items.first().map_or(0, |operation| operation.id);
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
            letters.extend(page.items.into_iter().map(Letter::from));
            keep_oldest(&mut letters, wanted);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(Seen::Matching {
                    matched: matched.unwrap_or_default(),
                    letters: letters.into(),
                    log_mark,
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

    async fn letters(&self, service: Service, ids: &[i64]) -> Result<Vec<Letter>, OpsError> {
        let page = self.letter_page(service, of_ids(ids), None).await?;
        Ok(page.items.into_iter().map(Letter::from).collect())
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

    async fn log_behind(&self, service: Service, mark: i64) -> Result<Vec<Record>, OpsError> {
        let mut records = Vec::new();
        let mut cursor: Option<i64> = None;
        for _ in 0..PAGES_MAX {
            let mut query = vec![("limit", OPERATIONS.to_string())];
            query.extend(cursor.map(|cursor| ("cursor", cursor.to_string())));
            let page: OperationPage = self.get(service, "operations", &query).await?;
            let behind = page.items.iter().filter(|operation| operation.id > mark);
            records.extend(behind.filter_map(record));
            cursor = page.next_cursor;
            let is_at_mark = page.items.last().is_none_or(|last| last.id <= mark);
            if is_at_mark || cursor.is_none() {
                return Ok(records);
            }
        }
        // An own request that is not found would be made again: rather none at all.
        Err(OpsError::Refused {
            service,
            why: "its operators' log has grown too far to find this redrive in it".into(),
        })
    }
}

/// The letters come newest first; of those that nobody has asked for yet so many of the oldest are kept as may be chosen.
fn keep_oldest(letters: &mut VecDeque<Letter>, wanted: usize) {
    let mut free = letters.iter().filter(|letter| !letter.is_marked).count();
    while free > wanted {
        let newest = letters.pop_front();
        free -= usize::from(newest.is_some_and(|letter| !letter.is_marked));
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

/// A redrive of letters by number; of others it is not ours.
fn record(operation: &OperationView) -> Option<Record> {
    if operation.action != "dead_letters.redrive" {
        return None;
    }
    let ids = operation.parameters["filter"]["ids"].as_array()?;
    Some(Record {
        id: operation.id,
        ids: ids.iter().filter_map(Value::as_i64).collect(),
    })
}

impl From<LetterView> for Letter {
    fn from(view: LetterView) -> Self {
        Self {
            id: view.id,
            attempts: view.attempts,
            is_marked: view.redrive_at.is_some(),
            kind: view.kind,
            reason: view.reason,
            detail: view.detail,
            trace_id: view.trace_id,
        }
    }
}
