//! How a redrive goes on: a pure state machine over what the service says, [`question`] and [`step`].
//!
//! | phase | what is known | what is done |
//! |---|---|---|
//! | none | which letters the filter means | the oldest are chosen and written down, with how often each was tried |
//! | `Chosen` | nothing in the service's log yet | the service is asked to settle exactly these again |
//! | `Running` | the service's own record of having been asked | only looked at; the service keeps the rate |
//! | `Stopping` | a letter died again, or it takes too long | what is not settled yet is taken back, as often as it takes |
//! | `Complete`, `Failed` | | after a time to live the resource is removed |
//!
//! What a step decides is written down before it is done, and whether it was done is asked of the service's log, which knows
//! it for sure: the record is part of the change's transaction. The request goes under the resource's own id, and the service
//! does nothing twice under one id. So it does not matter where the operator dies, whether an answer was lost or comes late, or
//! how many operators there are. A letter that has been tried more often than was written down has died again, whoever asked
//! for it; one that is gone is done.
//!
//! A controller keeps to this: the log is read before the letters, or a letter could be seen without the mark of a request that
//! the log has; and the status is written before the action.

mod seen;
mod step;

pub use self::{
    seen::{Letter, Mark, Question, Seen, question},
    step::{Action, Step, refused, step},
};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
