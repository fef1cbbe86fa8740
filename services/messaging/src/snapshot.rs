//! `pg_snapshot`: which transactions a statement saw, the cursor of every reader of an append-only table.

use std::{fmt, str::FromStr};

/// A snapshot as Postgres writes it: `xmin:xmax:xip_list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
    in_progress: Vec<u64>,
}

/// A text that is no snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a snapshot of the form xmin:xmax:xip,xip")]
pub struct MalformedSnapshot;

impl Snapshot {
    /// The snapshot that sees nothing: everything that is retained lies after it.
    #[must_use]
    pub const fn beginning() -> Self {
        Self {
            xmin: 1,
            xmax: 1,
            in_progress: Vec::new(),
        }
    }

    /// Whether a row written by this transaction, if it committed, is visible in the snapshot.
    #[must_use]
    pub fn sees(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && self.in_progress.binary_search(&xid).is_err())
    }

    /// The first transaction number that may still have been running: all below are visible or were rolled back.
    #[must_use]
    pub const fn xmin(&self) -> u64 {
        self.xmin
    }

    /// The first transaction number not yet given when the snapshot was taken.
    #[must_use]
    pub const fn xmax(&self) -> u64 {
        self.xmax
    }

    /// The transactions below `xmax` that were still running.
    #[must_use]
    pub fn in_progress(&self) -> &[u64] {
        &self.in_progress
    }

    /// `xmax` as a text to bind, for `xid8` has no type on our side.
    #[must_use]
    pub fn xmax_text(&self) -> String {
        self.xmax.to_string()
    }

    /// The running transactions as texts to bind.
    #[must_use]
    pub fn in_progress_texts(&self) -> Vec<String> {
        self.in_progress.iter().map(u64::to_string).collect()
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.xmin,
            self.xmax,
            self.in_progress_texts().join(",")
        )
    }
}

impl FromStr for Snapshot {
    type Err = MalformedSnapshot;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| part.parse::<u64>().map_err(|_| MalformedSnapshot);
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(MalformedSnapshot);
        let (xmin, xmax, list) = (number(part()?)?, number(part()?)?, part()?);
        let in_progress = list
            .split(',')
            .filter(|xid| !xid.is_empty())
            .map(number)
            .collect::<Result<Vec<_>, _>>()?;
        let sorted = in_progress.is_sorted_by(|a, b| a < b);
        let within = in_progress.iter().all(|xid| (xmin..xmax).contains(xid));
        if xmin == 0 || xmin > xmax || !sorted || !within {
            return Err(MalformedSnapshot);
        }
        Ok(Self {
            xmin,
            xmax,
            in_progress,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_sees_what_was_committed_when_it_was_taken() {
        let snapshot: Snapshot = "10:20:10,14".parse().unwrap();
        for (xid, seen) in [
            (9, true),
            (10, false),
            (11, true),
            (14, false),
            (19, true),
            (20, false),
            (21, false),
        ] {
            assert_eq!(snapshot.sees(xid), seen, "{xid}");
        }
        assert!(!Snapshot::beginning().sees(1));
    }

    #[test]
    fn a_snapshot_reads_back() {
        for text in ["1:1:", "10:20:10,14", "734:734:"] {
            assert_eq!(text.parse::<Snapshot>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_malformed_snapshot_is_refused() {
        for text in [
            "", "1", "1:2", "2:1:", "0:1:", "1:9:9", "5:9:7,6", "5:9:4", "a:b:c", "-1:2:", "1:2:x",
        ] {
            assert_eq!(text.parse::<Snapshot>(), Err(MalformedSnapshot), "{text}");
        }
    }
}
