//! The invariants of ARCHITECTURE.md that can be read off the workspace itself, and documents that must not rot.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

const PACKAGES: [&str; 9] = [
    "chassis",
    "contracts",
    "gozon",
    "messaging",
    "operator",
    "order",
    "payment",
    "relay",
    "tests",
];

#[test]
fn the_workspace_has_the_crates_of_the_architecture_and_no_others() {
    let metadata = metadata();
    let names: BTreeSet<_> = packages(&metadata)
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(names, BTreeSet::from(PACKAGES));
    for package in packages(&metadata) {
        let folder = package.manifest_path.parent().unwrap();
        assert_eq!(folder.file_name(), Some(package.name.as_str()));
    }
}

#[test]
fn order_and_payment_do_not_depend_on_each_other_however_indirectly() {
    let metadata = metadata();
    let reachable = |from: &str| reachable(&metadata, from);
    assert!(!reachable("order").contains("payment"));
    assert!(!reachable("payment").contains("order"));
    for shared in ["contracts", "messaging", "chassis", "relay", "tests"] {
        for service in ["order", "payment"] {
            assert!(
                !reachable(shared).contains(service),
                "{shared} -> {service}"
            );
        }
    }
    // It asks the services over HTTP, as any operator does: no code of theirs, no database and no broker.
    for inside in ["messaging", "relay", "order", "payment"] {
        assert!(
            !reachable("operator").contains(inside),
            "operator -> {inside}"
        );
    }
    assert!(!reachable("chassis").contains("messaging"));
    assert!(!reachable("messaging").contains("chassis"));
    let library = [
        "contracts",
        "messaging",
        "chassis",
        "relay",
        "order",
        "payment",
    ];
    for package in library {
        assert!(
            !reachable("tests").contains(package),
            "the fixtures use {package}"
        );
    }
}

#[test]
fn contracts_do_no_input_or_output() {
    let metadata = metadata();
    let contracts = package(&metadata, "contracts");
    for dependency in normal_dependencies(contracts) {
        if dependency.name == "sqlx" {
            assert!(!dependency.uses_default_features);
            assert_eq!(
                dependency.features,
                ["derive"],
                "sqlx is for the derives of ids alone"
            );
        }
    }
    // Whatever else the workspace enables, alone it must build without any of these.
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "contracts", "--edges", "normal"])
        .args(["--prefix", "none", "--locked", "--offline"])
        .current_dir(root(&metadata))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap();
        assert!(
            ![
                "tokio",
                "lapin",
                "axum",
                "hyper",
                "reqwest",
                "sqlx-postgres",
                "async-std"
            ]
            .contains(&name),
            "contracts depend on {name}"
        );
    }
}

#[test]
fn only_the_operator_knows_kubernetes_and_only_messaging_the_broker() {
    let metadata = metadata();
    for (dependency, allowed) in [
        ("kube", &["operator"][..]),
        ("k8s-openapi", &["operator"]),
        // The fixtures publish what no program of ours would.
        ("lapin", &["messaging", "tests"]),
        // The bench is made of programs, too.
        ("clap", &["gozon", "tests"]),
        ("rust-embed", &["gozon"]),
    ] {
        for package in packages(&metadata) {
            let uses = package
                .dependencies
                .iter()
                .any(|used| used.name == dependency);
            let may = allowed.contains(&package.name.as_str());
            assert!(may || !uses, "{} depends on {dependency}", package.name);
        }
    }
}

#[test]
fn nothing_that_is_delivered_writes_the_messages_of_another_version() {
    const FEATURE: &str = "other-version";
    let metadata = metadata();
    for package in packages(&metadata) {
        let enabled = package.features.iter().filter(|(name, _)| *name != FEATURE);
        for (name, enables) in enabled {
            let leaks = enables.iter().any(|enabled| enabled.contains(FEATURE));
            assert!(!leaks, "{} with {name}", package.name);
        }
        for dependency in &package.dependencies {
            let features = &dependency.features;
            assert!(
                !features.iter().any(|feature| feature == FEATURE),
                "{} uses {} with it",
                package.name,
                dependency.name
            );
        }
    }
    let gozon = package(&metadata, "gozon");
    let plain = gozon
        .targets
        .iter()
        .filter(|target| target.is_bin() && target.required_features.is_empty());
    let plain: Vec<_> = plain.map(|target| target.name.as_str()).collect();
    assert_eq!(plain, ["gozon"]);
}

#[test]
fn every_package_obeys_the_lints_and_settings_of_the_workspace() {
    let metadata = metadata();
    for package in packages(&metadata) {
        let manifest = read(package.manifest_path.as_std_path());
        let lints = manifest.split("[lints]").nth(1).unwrap_or_default();
        assert!(
            lints.trim_start().starts_with("workspace = true"),
            "{}",
            package.name
        );
        assert_eq!(
            package.publish.as_deref(),
            Some(&[][..]),
            "{}",
            package.name
        );
        assert_eq!(package.edition.as_str(), "2024", "{}", package.name);
    }
    let manifest = read(&root(&metadata).join("Cargo.toml"));
    assert!(manifest.contains(r#"unsafe_code = "forbid""#));
}

#[test]
fn every_make_target_the_documents_name_exists() {
    let metadata = metadata();
    let root = root(&metadata);
    let makefile = read(&root.join("Makefile"));
    let targets: BTreeSet<_> = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', ' ', '#', '.']))
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(targets, _)| targets.split_whitespace())
        .collect();
    for target in [
        "help", "run", "test", "reset", "build", "fmt", "lint", "prepare",
    ] {
        assert!(
            targets.contains(target),
            "the Makefile has no target {target}"
        );
    }
    let mut named = BTreeMap::new();
    for document in ["README.md", "ARCHITECTURE.md", ".ci/run"] {
        let text = read(&root.join(document));
        // In prose a command stands between backticks; in a block or a script it begins its line.
        for (index, _) in text.match_indices("make ") {
            let begins = matches!(
                text[..index].chars().next_back(),
                None | Some('`' | '\n' | '$')
            ) || text[..index].ends_with("$ ");
            let word: String = text[index + "make ".len()..]
                .chars()
                .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
                .collect();
            if begins && !word.is_empty() {
                named.insert(word, document);
            }
        }
    }
    assert!(
        named.contains_key("run") && named.contains_key("test"),
        "{named:?}"
    );
    for (target, document) in named {
        assert!(
            targets.contains(target.as_str()),
            "{document} names `make {target}`"
        );
    }
}

#[test]
fn files_the_documents_link_to_exist() {
    let metadata = metadata();
    let root = root(&metadata);
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = read(&root.join(document));
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap();
            if link.is_empty() || link.contains("://") {
                continue;
            }
            assert!(root.join(link).exists(), "{document} links to {link}");
        }
    }
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .no_deps()
        .other_options(["--locked".to_owned(), "--offline".to_owned()])
        .exec()
        .unwrap()
}

fn root(metadata: &Metadata) -> &Path {
    metadata.workspace_root.as_std_path()
}

fn packages(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.workspace_packages().into_iter()
}

fn package<'m>(metadata: &'m Metadata, name: &str) -> &'m Package {
    packages(metadata)
        .find(|package| package.name.as_str() == name)
        .unwrap_or_else(|| panic!("there is no package {name}"))
}

fn normal_dependencies(package: &Package) -> impl Iterator<Item = &cargo_metadata::Dependency> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
}

/// The workspace's packages that one needs to be built, itself excepted.
fn reachable(metadata: &Metadata, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        for dependency in normal_dependencies(package(metadata, &name)) {
            if dependency.path.is_some() && found.insert(dependency.name.clone()) {
                next.push(dependency.name.clone());
            }
        }
    }
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
