//! `gozon metrics`: the table of all metrics, as Markdown.

use crate::metrics::catalogue;

/// Prints the table.
pub(crate) fn run() -> anyhow::Result<()> {
    print!("{}", catalogue::markdown()?);
    Ok(())
}
