//! The runbooks: three questions in one order, and commands that exist.

use std::collections::BTreeSet;

use tests::gozon;

use crate::files;

const QUESTIONS: [&str; 3] = ["## What it means", "## What to look at", "## What to do"];

#[test]
fn each_runbook_says_what_it_means_what_to_look_at_and_what_to_do() {
    for (name, text) in files("charts/gozon/runbooks", ".md") {
        assert!(text.starts_with(&format!("# {name}\n")), "{name}");
        let headings: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(headings, QUESTIONS, "{name}");
        let answers = text.split("\n## ").skip(1);
        for answer in answers {
            assert!(
                answer.lines().skip(1).any(|line| !line.is_empty()),
                "{name}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn the_commands_in_runbooks_exist_with_their_flags() {
    let runbooks = files("charts/gozon/runbooks", ".md");
    let commands: BTreeSet<&str> = runbooks
        .iter()
        .flat_map(|(_, text)| text.split('`').skip(1).step_by(2))
        .filter(|code| code.starts_with("gozon "))
        .collect();
    assert!(!commands.is_empty());
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let is_name = |word: &&&str| {
            word.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
                && !word.starts_with('-')
        };
        let names: Vec<&str> = words.iter().take_while(is_name).copied().collect();
        let (status, help) = gozon(&[&["help"], names.as_slice()].concat(), &[]).await;
        assert!(status.success(), "{command}: {help}");
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag), "{command}: {flag} is not in {help}");
        }
    }
}
