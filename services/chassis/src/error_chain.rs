//! An error with all its causes in one line; by the house rule `Display` never repeats the cause, so a log line needs this.

use std::{error::Error, fmt};

/// The error and its causes, outermost first: `the order could not be stored: pool timed out`.
#[must_use]
pub fn chain<'e>(error: &'e (dyn Error + 'static)) -> Chain<'e> {
    Chain(error)
}

/// What [`chain`] returns: prints when it is displayed.
#[derive(Debug)]
pub struct Chain<'e>(&'e (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Libraries often repeat the cause in their own text; saying it twice helps nobody.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            said = text;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the order could not be stored")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the database said: {0}")]
    struct Inner(#[source] std::io::Error);

    #[test]
    fn a_chain_names_each_cause_once() {
        let error = Outer(Inner(std::io::Error::other("connection refused")));
        assert_eq!(
            chain(&error).to_string(),
            "the order could not be stored: the database said: connection refused"
        );
    }
}
