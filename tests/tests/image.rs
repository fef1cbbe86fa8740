//! The image's archive as `make image` packs it without a container engine. That it runs is for the tests in a cluster.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Any executable will do, and this one is small.
const EXECUTABLE: &str = env!("CARGO_BIN_EXE_load");

#[test]
fn an_image_is_one_executable_what_it_needs_and_a_user_who_is_not_root() {
    let archive = pack("contents");
    let manifest: Value = serde_json::from_str(&file(&archive, "manifest.json")).unwrap();
    let [image] = &manifest.as_array().unwrap()[..] else {
        panic!("{manifest}");
    };
    assert_eq!(image["RepoTags"], serde_json::json!(["gozon-test:1"]));

    let config: Value =
        serde_json::from_str(&file(&archive, image["Config"].as_str().unwrap())).unwrap();
    assert_eq!(config["os"], "linux");
    let settings = &config["config"];
    assert_eq!(settings["Entrypoint"], serde_json::json!(["/load"]));
    assert_eq!(settings["User"], "65532:65532");
    for label in ["version", "revision", "created"] {
        let label = &settings["Labels"][format!("org.opencontainers.image.{label}")];
        assert!(
            label.as_str().is_some_and(|value| !value.is_empty()),
            "{config:#}"
        );
    }

    let layer = image["Layers"][0].as_str().unwrap();
    let unpacked = archive.with_extension("layer");
    let out = run(Command::new("tar").arg("-xOf").arg(&archive).arg(layer));
    fs::write(&unpacked, out).unwrap();
    let sum = text(run(Command::new("sha256sum").arg(&unpacked)));
    let sum = sum.split(' ').next().unwrap();
    assert_eq!(
        config["rootfs"]["diff_ids"],
        serde_json::json!([format!("sha256:{sum}")])
    );
    assert_holds_what_is_needed(&unpacked);
}

#[test]
fn the_same_executable_gives_the_same_image_whoever_makes_it() {
    let first = pack("first");
    // Somebody who is careful about what others may read.
    let second = archive_file("second");
    let script = r#"umask 077; exec "$0" pack "$1" gozon-test:1 "$2""#;
    run(Command::new("bash")
        .args(["-c", script])
        .arg(image_script())
        .arg(EXECUTABLE)
        .arg(&second));
    assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap());
}

/// Nothing but the executable, libraries, certificates and the user's name; nobody's, of no time, writable by none.
fn assert_holds_what_is_needed(layer: &Path) {
    let list = text(run(Command::new("tar").args(["-tvf"]).arg(layer).args([
        "--numeric-owner",
        "--utc",
        "--full-time",
    ])));
    let mut names = Vec::new();
    for line in list.lines() {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [mode, owner, _size, day, time, name] = fields[..] else {
            panic!("{line}");
        };
        assert_eq!(owner, "0/0", "{line}");
        assert_eq!((day, time), ("1970-01-01", "00:00:00"), "{line}");
        assert!(!mode[5..].contains('w'), "{line}");
        names.push(name);
    }
    assert!(names.is_sorted(), "{names:?}");
    let files = names.into_iter().filter(|name| !name.ends_with('/'));
    let (libraries, others): (Vec<_>, Vec<_>) = files.partition(|name| name.starts_with("lib"));
    assert_eq!(
        others,
        [
            "etc/group",
            "etc/passwd",
            "etc/ssl/certs/ca-certificates.crt",
            "load"
        ]
    );
    for needed in ["libc.so", "ld-linux"] {
        assert!(
            libraries.iter().any(|name| name.contains(needed)),
            "{libraries:?}"
        );
    }
}

fn pack(name: &str) -> PathBuf {
    let archive = archive_file(name);
    run(Command::new(image_script())
        .args(["pack", EXECUTABLE, "gozon-test:1"])
        .arg(&archive));
    archive
}

fn archive_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("image-{name}.tar"))
}

fn image_script() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../services/gozon/local/image")
}

fn file(archive: &Path, name: &str) -> String {
    text(run(Command::new("tar").arg("-xOf").arg(archive).arg(name)))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}
