//! What is asked before a step, and the answers.

use crate::resource::{Phase, Redrive};

/// What has to be asked of the service before the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which letters the filter means, how many, and the newest record in the operators' log: the record first.
    Matching,
    /// The records behind the mark, then those of the letters that are still dead letters.
    Following {
        /// The letters.
        ids: Vec<i64>,
        /// The mark.
        log_mark: i64,
    },
    /// Nothing.
    Nothing,
}

/// What has to be asked of the service before the next step of a redrive.
#[must_use]
pub fn question(redrive: &Redrive) -> Question {
    let Some(status) = &redrive.status else {
        return Question::Matching;
    };
    match status.phase {
        None => Question::Matching,
        Some(Phase::Chosen | Phase::Running | Phase::Stopping) => Question::Following {
            ids: status.letters.iter().map(|letter| letter.id).collect(),
            log_mark: status.log_mark.unwrap_or_default(),
        },
        Some(Phase::Complete | Phase::Failed) => Question::Nothing,
    }
}

/// What the service said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// To [`Question::Matching`].
    Matching {
        /// How many letters the filter means.
        matched: i64,
        /// The oldest of them, at least as many as may be chosen where there are as many.
        letters: Vec<Letter>,
        /// The newest record in the operators' log; 0 where there is none.
        log_mark: i64,
    },
    /// To [`Question::Following`].
    Following {
        /// The records behind the mark.
        log: Vec<Record>,
        /// Those of the letters that are still dead letters.
        letters: Vec<Letter>,
    },
    /// To [`Question::Nothing`].
    Nothing,
    /// Nothing, for it does not answer.
    Away {
        /// Why, in words.
        why: String,
    },
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number in the service.
    pub id: i64,
    /// How often settling it was tried.
    pub attempts: i32,
    /// Whether it is marked to be settled again.
    pub is_marked: bool,
    /// The type of its event, where it can be read.
    pub kind: Option<String>,
    /// Why it is a dead letter, as a class.
    pub reason: String,
    /// Why, in words.
    pub detail: String,
    /// The trace it belongs to, where it can be read.
    pub trace_id: Option<String>,
}

/// A redrive in the service's operators' log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number; grows with time.
    pub id: i64,
    /// Which letters were asked for by number.
    pub ids: Vec<i64>,
}
