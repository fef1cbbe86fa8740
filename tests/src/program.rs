//! The executable under test, and the one of a neighbouring version.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::instance::setting;

/// Which messages an executable writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// Those of this checkout.
    #[default]
    This,
    /// Those of a neighbouring version: they lack what is optional, and carry a field that this one does not know.
    Other,
}

impl Version {
    /// The `gozon` executable of this version: the one in `GOZON_BIN` or `GOZON_OTHER_VERSION_BIN`, or one built now in
    /// the profile of the tests.
    ///
    /// # Panics
    /// When it cannot be built.
    pub(crate) fn path(self) -> &'static Path {
        static THIS: OnceLock<PathBuf> = OnceLock::new();
        static OTHER: OnceLock<PathBuf> = OnceLock::new();
        let (program, variable, arguments): (_, _, &[&str]) = match self {
            Self::This => (&THIS, "GOZON_BIN", &["--bin", "gozon"]),
            Self::Other => (
                &OTHER,
                "GOZON_OTHER_VERSION_BIN",
                &[
                    "--bin",
                    "gozon-other-version",
                    "--features",
                    "other-version",
                ],
            ),
        };
        program.get_or_init(|| {
            setting(variable).map_or_else(|| build(arguments).join(arguments[1]), PathBuf::from)
        })
    }
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

/// Builds the package of the executable with these arguments, and says into which folder.
fn build(arguments: &[&str]) -> PathBuf {
    let folder = profile_folder();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = setting("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["build", "--package", "gozon", "--locked", "--profile"])
        .arg(profile)
        .args(arguments)
        .current_dir(checkout())
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "gozon does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder
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
