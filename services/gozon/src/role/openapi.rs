//! `gozon openapi`: the document of the public API, as JSON.

use chassis::Profile;

use crate::openapi;

/// Prints the document.
pub(crate) fn run(profile: Profile) -> anyhow::Result<()> {
    println!("{}", openapi::document(profile).to_pretty_json()?);
    Ok(())
}
