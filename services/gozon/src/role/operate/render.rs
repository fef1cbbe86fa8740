//! What an operator reads: pure functions from answers to text.

use std::fmt::Write;

pub(super) mod dead_letters;
pub(super) mod outbox;
pub(super) mod trace;

/// A duration for people: `0.4 s`, `3 min`, `5 h`, `2 d`.
fn age(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

/// Adds to a text what is written in place.
fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more)
        .expect("a text takes whatever is written to it");
}

/// One thing, or several.
fn count(number: impl Into<i128>, thing: &str) -> String {
    match number.into() {
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}

/// Text from a message or another's log on its way to a terminal: control characters would be obeyed there.
fn printable(text: &str) -> String {
    let shown = |letter: char| {
        if letter.is_control() {
            '\u{fffd}'
        } else {
            letter
        }
    };
    text.chars().map(shown).collect()
}

/// Rows under a heading, columns as wide as their widest cell; the last column is not padded.
fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let heading = heading.map(str::to_owned);
    let lines = || std::iter::once(&heading).chain(rows);
    let mut widths = [0; N];
    for line in lines() {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in lines() {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(widths) {
            add(&mut row, format_args!("  {cell:width$}"));
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_the_unit_a_person_would_choose() {
        for (seconds, text) in [
            (0.04, "0.0 s"),
            (3.25, "3.2 s"),
            (180.0, "3 min"),
            (18_000.0, "5 h"),
            (259_200.0, "3 d"),
        ] {
            assert_eq!(age(seconds), text);
        }
    }

    #[test]
    fn a_table_lines_its_columns_up() {
        let rows = [["1".into(), "long one".into()], ["200".into(), "x".into()]];
        assert_eq!(
            table(["id", "what"], &rows),
            "  id   what\n  1    long one\n  200  x\n"
        );
    }

    #[test]
    fn nothing_a_message_holds_can_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}
