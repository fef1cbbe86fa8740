//! The curves as a picture: what comes, how long it waits, how many relays there are.

use std::fmt::Write as _;

use super::{CURVES, Curve, LIMITS, Moment, play};

const WIDTH: u64 = 760;
const LEFT: u64 = 44;
const PLOT_WIDTH: u64 = 660;
const PLOT_HEIGHT: u64 = 110;
/// From the top of one panel to the top of the next.
const PANEL: u64 = 172;
const HEAD: u64 = 34;

/// All curves, played under [`LIMITS`] and drawn one below the other, as SVG.
#[must_use]
pub fn picture() -> String {
    let height = HEAD + PANEL * CURVES.len() as u64;
    let mut svg = format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" "#,
            r#"aria-label="How relays are scaled under five load curves" font-family="sans-serif" font-size="12">"#,
            "\n",
            r##"<rect width="{w}" height="{h}" fill="#fff"/>"##,
            "\n",
            r##"<rect x="{l}" y="10" width="14" height="10" fill="#dde3ea"/><text x="64" y="19">events that come</text>"##,
            r##"<path d="M190 15h18" stroke="#c2410c" stroke-width="2"/><text x="214" y="19">age of the oldest, target {t} s</text>"##,
            r##"<path d="M420 15h18" stroke="#1d4ed8" stroke-width="2"/><text x="444" y="19">relays, {min} to {max}</text>"##,
            "\n",
        ),
        w = WIDTH,
        h = height,
        l = LEFT,
        t = LIMITS.target_age.as_secs(),
        min = LIMITS.min,
        max = LIMITS.max,
    );
    for (place, curve) in (0_u64..).zip(&CURVES) {
        panel(&mut svg, curve, HEAD + place * PANEL);
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, curve: &Curve, top: u64) {
    let moments = play(curve, &LIMITS);
    let seconds = u64::from(curve.seconds);
    let most = |of: fn(&Moment) -> u64| moments.iter().map(of).max().unwrap_or(1).max(1);
    let (most_events, most_age) = (most(|m| m.arriving), most(|m| m.age_seconds.into()).max(10));
    let most_relays = u64::from(LIMITS.max);
    let plot = Plot {
        base: top + 14 + PLOT_HEIGHT,
        seconds,
    };
    let _ = writeln!(
        svg,
        r#"<text x="{LEFT}" y="{}" font-weight="bold">{}</text>"#,
        top + 8,
        curve.title
    );
    let area = plot.steps(&moments, most_events, |m| m.arriving);
    let _ = writeln!(
        svg,
        r##"<path d="M{LEFT} {base}{area}V{base}Z" fill="#dde3ea"/>"##,
        base = plot.base
    );
    let target = plot.height(LIMITS.target_age.as_secs(), most_age);
    let _ = writeln!(
        svg,
        r##"<path d="M{LEFT} {target}h{PLOT_WIDTH}" stroke="#c2410c" stroke-dasharray="3 4" opacity="0.6"/>"##
    );
    for (colour, line) in [
        (
            "#c2410c",
            plot.steps(&moments, most_age, |m| m.age_seconds.into()),
        ),
        (
            "#1d4ed8",
            plot.steps(&moments, most_relays, |m| m.replicas.into()),
        ),
    ] {
        // The first value is where the line begins, not where it goes.
        let line = line.replacen('V', &format!("M{LEFT} "), 1);
        let _ = writeln!(
            svg,
            r#"<path d="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>"#
        );
    }
    plot.frame(svg, most_age, most_relays);
}

/// Where a panel's moments are drawn.
struct Plot {
    base: u64,
    seconds: u64,
}

impl Plot {
    fn height(&self, value: u64, most: u64) -> u64 {
        self.base - value * PLOT_HEIGHT / most
    }

    /// A value holds until the next moment, so the line goes in steps.
    fn steps(&self, moments: &[Moment], most: u64, value: fn(&Moment) -> u64) -> String {
        let mut path = String::new();
        for moment in moments {
            let value = value(moment);
            let next = u64::from(moment.second + super::EVERY_SECONDS).min(self.seconds);
            let x = LEFT + next * PLOT_WIDTH / self.seconds;
            let _ = write!(path, "V{}H{x}", self.height(value, most));
        }
        path
    }

    fn frame(&self, svg: &mut String, most_age: u64, most_relays: u64) {
        let (base, top) = (self.base, self.base - PLOT_HEIGHT);
        let right = LEFT + PLOT_WIDTH;
        let _ = writeln!(
            svg,
            concat!(
                r##"<path d="M{l} {top}V{base}H{r}V{top}" fill="none" stroke="#667"/>"##,
                r##"<g fill="#c2410c" text-anchor="end"><text x="{a}" y="{y}">{age}s</text><text x="{a}" y="{base}">0</text></g>"##,
                r##"<g fill="#1d4ed8"><text x="{b}" y="{y}">{relays}</text><text x="{b}" y="{base}">0</text></g>"##,
            ),
            l = LEFT,
            r = right,
            top = top,
            base = base,
            a = LEFT - 4,
            b = right + 4,
            y = top + 10,
            age = most_age,
            relays = most_relays,
        );
        for minute in (0..=self.seconds / 60).step_by(5) {
            let x = LEFT + minute * 60 * PLOT_WIDTH / self.seconds;
            let _ = writeln!(
                svg,
                r##"<text x="{x}" y="{}" text-anchor="middle" fill="#667">{minute} min</text>"##,
                base + 15
            );
        }
    }
}
