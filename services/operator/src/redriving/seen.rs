//! What is asked before a step, and the answers.

use crate::resource::{Phase, Redrive};

/// What has to be asked of the service before the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which letters the filter means, and how many.
    Matching,
    /// Whether the operators' log has the request, then those of the letters that are still dead letters.
    Following {
        /// The letters.
        ids: Vec<i64>,
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
    },
    /// To [`Question::Following`].
    Following {
        /// The record of the request in the operators' log, if it has come.
        operation_id: Option<i64>,
        /// How many of its letters have died again so far, as that record has it: one that does may come back as another letter.
        died_again: i64,
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

/// Who has marked a letter to be settled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nobody.
    None,
    /// This resource.
    Own,
    /// Somebody else.
    Others,
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number in the service.
    pub id: i64,
    /// How often settling it was tried.
    pub attempts: i32,
    /// Whether it is marked to be settled again.
    pub mark: Mark,
    /// The type of its event, where it can be read.
    pub kind: Option<String>,
    /// Why it is a dead letter, as a class.
    pub reason: String,
    /// Why, in words.
    pub detail: String,
    /// The trace it belongs to, where it can be read.
    pub trace_id: Option<String>,
}
