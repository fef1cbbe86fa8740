//! The executable under test.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::instance::setting;

/// The `gozon` executable: the one in `GOZON_BIN`, or one built now in the profile of the tests.
///
/// # Panics
/// When it cannot be built.
pub(crate) fn path() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| setting("GOZON_BIN").map_or_else(build, PathBuf::from))
}

/// The checkout's root.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a folder of the checkout")
}

/// Cargo's target folder.
///
/// # Panics
/// When the test was not put there by cargo.
pub(crate) fn target_folder() -> PathBuf {
    profile_folder()
        .parent()
        .expect("cargo puts profiles into its target folder")
        .to_owned()
}

fn build() -> PathBuf {
    let folder = profile_folder();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = setting("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["build", "--package", "gozon", "--locked", "--profile"])
        .arg(profile)
        .current_dir(checkout())
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "gozon does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder.join("gozon")
}

fn profile_folder() -> PathBuf {
    // A test runs from target/<profile>/deps/<name>.
    std::env::current_exe()
        .expect("a running program has a path")
        .ancestors()
        .nth(2)
        .expect("cargo puts tests two folders below target")
        .to_owned()
}
