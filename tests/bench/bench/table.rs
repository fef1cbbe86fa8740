//! The table of the figures, for a terminal and for a document.

use crate::figures::{Figures, Known, Standing};

/// Aligned with spaces.
pub(crate) fn text(figures: &Figures) -> String {
    let mut rows = vec![["", "found", "required", "aim", ""].map(str::to_owned)];
    for (known, value) in figures.found() {
        let [required, aim] = goals(known);
        let standing = match known.standing(value) {
            Standing::Plain => String::new(),
            Standing::AimReached => "aim reached".to_owned(),
            Standing::RequiredMet => "required met".to_owned(),
            Standing::MissedBy(percent) => format!("MISSED by {percent:.0} %"),
        };
        rows.push([
            known.name.to_owned(),
            number(value),
            required,
            aim,
            standing,
        ]);
    }
    aligned(&rows)
}

/// In Markdown.
pub(crate) fn markdown(figures: &Figures) -> String {
    let mut lines = vec![
        "| figure | | found | required | aim |".to_owned(),
        "|---|---|--:|--:|--:|".to_owned(),
    ];
    for (known, value) in figures.found() {
        let [required, aim] = goals(known);
        lines.push(format!(
            "| `{}` | {} | {} | {required} | {aim} |",
            known.name,
            known.meaning,
            number(value)
        ));
    }
    lines.join("\n")
}

fn goals(known: &Known) -> [String; 2] {
    known.target.map_or_else(<[String; 2]>::default, |target| {
        [number(target.required), number(target.aim)]
    })
}

/// The name to the left, numbers to the right.
fn aligned(rows: &[[String; 5]]) -> String {
    let mut widths = [0; 5];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for [name, found, required, aim, standing] in rows {
        let line = format!(
            "{name:<0$}  {found:>1$}  {required:>2$}  {aim:>3$}  {standing}",
            widths[0], widths[1], widths[2], widths[3]
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Whole from a hundred on, with a separator from ten thousand on; below, what matters of a ratio or a latency.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    if digits.len() <= 4 {
        return digits;
    }
    let (head, tail) = digits.split_at(digits.len() - 3);
    format!("{head},{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let mut figures = Figures::default();
        figures.set("end_to_end_orders_per_second", 9_000.0);
        figures.set("serial_p50_ms", 3.456);
        figures
    }

    #[test]
    fn numbers_show_what_matters() {
        assert_eq!(number(0.987), "0.99");
        assert_eq!(number(99.0), "99.00");
        assert_eq!(number(150.4), "150");
        assert_eq!(number(9_000.0), "9000");
        assert_eq!(number(15_000.0), "15,000");
    }

    #[test]
    fn the_text_is_aligned_and_says_what_is_missed() {
        let text = text(&figures());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            "end_to_end_orders_per_second   9000    10,000  15,000  MISSED by 10 %"
        );
        assert_eq!(
            lines[2],
            "serial_p50_ms                  3.46      5.00    3.00  required met"
        );
    }

    #[test]
    fn the_document_has_a_row_for_each_figure() {
        let markdown = markdown(&figures());
        assert_eq!(markdown.lines().count(), 4);
        assert!(markdown.contains("| `serial_p50_ms` | one order at a time, POST to push, median | 3.46 | 5.00 | 3.00 |"), "{markdown}");
    }
}
