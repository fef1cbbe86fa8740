//! The document's table: between two marker comments stands what the bench found, and nothing is typed there.

use std::{fs, path::Path};

use anyhow::Context;

use crate::{result::Outcome, table};

const BEGIN: &str = "<!-- bench: begin (written by `make bench README=1`) -->";

const END: &str = "<!-- bench: end -->";

/// Writes the table anew.
pub(crate) fn update(path: &Path, outcome: &Outcome) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table = format!(
        "Measured on {} on {}:\n\n{}",
        outcome.date,
        outcome.machine,
        table::markdown(&outcome.figures)
    );
    let updated = replace(&text, &table).with_context(|| {
        format!(
            "{} has no place for the table: put the lines `{BEGIN}` and `{END}` where it belongs",
            path.display()
        )
    })?;
    fs::write(path, updated).with_context(|| format!("cannot write {}", path.display()))
}

fn replace(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!(
        "{before}{BEGIN}\n{}\n{END}{after}",
        table.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = format!("Before\n{BEGIN}\nold\n{END}\nAfter\n");
        let once = replace(&text, "new\n").unwrap();
        assert_eq!(once, format!("Before\n{BEGIN}\nnew\n{END}\nAfter\n"));
        assert_eq!(replace(&once, "new\n"), Some(once.clone()));
        assert_eq!(replace("no markers", "new"), None);
    }
}
