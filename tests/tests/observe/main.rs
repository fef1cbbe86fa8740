//! What whoever is on call looks at: dashboards, rules and runbooks, held to each other and to a running shop.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

mod dashboards;
mod load;
mod promql;
mod rules;
mod runbooks;
mod scraped;

use std::path::{Path, PathBuf};

/// A folder or file of the checkout.
fn in_checkout(path: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap().join(path)
}

/// The files of a folder that end so, by their names without that.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let folder = in_checkout(folder);
    let mut found: Vec<(String, String)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
            Some((name, std::fs::read_to_string(&path).unwrap()))
        })
        .collect();
    assert!(!found.is_empty(), "{} has no {ending}", folder.display());
    found.sort();
    found
}
