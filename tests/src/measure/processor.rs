//! Processor time as the Linux kernel accounts for it in `/proc`.

use std::{collections::HashMap, fs, io, time::Duration};

/// The kernel tells processor time in ticks, 100 of them a second on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// What one line of `/proc/PID/stat` says about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    /// In user and kernel mode, its own and that of children it has collected.
    ticks: u64,
}

/// Processor time that the processes of some trees have used since they began, one sum for each tree.
///
/// # Errors
/// When a root does not run, or this system has no `/proc`.
pub fn of_trees(roots: &[u32]) -> io::Result<Vec<Duration>> {
    let all = processes()?;
    roots
        .iter()
        .map(|root| {
            if all.iter().any(|process| process.id == *root) {
                Ok(tree_time(&all, *root))
            } else {
                Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("process {root} does not run"),
                ))
            }
        })
        .collect()
}

/// Processor time this process has used.
///
/// # Errors
/// When this system has no `/proc`.
pub fn of_this_process() -> io::Result<Duration> {
    let line = fs::read_to_string("/proc/self/stat")?;
    let process = parse_process(&line).ok_or_else(|| unknown_format("/proc/self/stat"))?;
    Ok(time_of(process.ticks))
}

/// Processor time that everything on this machine has used since it was started.
///
/// # Errors
/// When this system has no `/proc`.
pub fn of_machine() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let ticks = parse_machine(&text).ok_or_else(|| unknown_format("/proc/stat"))?;
    Ok(time_of(ticks))
}

fn processes() -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let is_process = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        // A process may end between the listing and the reading.
        if is_process && let Ok(line) = fs::read_to_string(path.join("stat")) {
            found.extend(parse_process(&line));
        }
    }
    Ok(found)
}

/// The time of a process, its descendants, and what they have collected of children that ended.
fn tree_time(all: &[Process], root: u32) -> Duration {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in all {
        children.entry(process.parent).or_default().push(process.id);
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(id) = family.get(next) {
        let born = children.remove(id).unwrap_or_default();
        family.extend(born);
        next += 1;
    }
    let ticks = all
        .iter()
        .filter(|process| family.contains(&process.id))
        .map(|process| process.ticks)
        .sum();
    time_of(ticks)
}

/// The name stands in parentheses and may hold anything, so what follows is counted from the last one.
fn parse_process(line: &str) -> Option<Process> {
    let (before, after) = line.rsplit_once(')')?;
    let (id, _name) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    let ticks = fields
        .get(11..15)?
        .iter()
        .map(|field| field.parse::<u64>().ok())
        .sum::<Option<u64>>()?;
    Some(Process {
        id: id.trim().parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        ticks,
    })
}

/// Adds up the first line, without what the processors idled, waited for disks, or lent to guests (counted already).
fn parse_machine(text: &str) -> Option<u64> {
    const IDLE_AND_WAITING: [usize; 2] = [3, 4];
    const BEFORE_GUESTS: usize = 8;
    text.lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_ascii_whitespace()
        .take(BEFORE_GUESTS)
        .enumerate()
        .filter(|(place, _)| !IDLE_AND_WAITING.contains(place))
        .map(|(_, field)| field.parse::<u64>().ok())
        .sum()
}

fn time_of(ticks: u64) -> Duration {
    TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
}

fn unknown_format(file: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{file} has an unknown format"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(
        id: u32,
        name: &str,
        parent: u32,
        [user, system, gone_user, gone_system]: [u64; 4],
    ) -> String {
        format!(
            "{id} ({name}) S {parent} 1 1 0 -1 4194560 100 0 0 0 {user} {system} {gone_user} {gone_system} 20 0 1 0 99"
        )
    }

    #[test]
    fn a_process_is_read_whatever_its_name_holds() {
        let process = parse_process(&line(42, "a) S 7 (b", 7, [1, 2, 3, 4]));
        let expected = Process {
            id: 42,
            parent: 7,
            ticks: 10,
        };
        assert_eq!(process, Some(expected));
        assert_eq!(parse_process("42 (short) S 1"), None);
    }

    #[test]
    fn a_tree_is_its_root_all_descendants_and_the_children_they_collected() {
        let all: Vec<Process> = [
            line(10, "postmaster", 1, [1, 1, 50, 0]),
            line(11, "backend", 10, [20, 0, 0, 0]),
            line(12, "helper", 11, [5, 0, 0, 0]),
            line(13, "stranger", 1, [900, 0, 0, 0]),
        ]
        .iter()
        .filter_map(|line| parse_process(line))
        .collect();
        assert_eq!(tree_time(&all, 10), Duration::from_millis(770));
        assert_eq!(tree_time(&all, 12), Duration::from_millis(50));
    }

    #[test]
    fn the_machine_is_busy_when_it_neither_idles_nor_waits() {
        let text = "cpu  10 1 20 4000 300 0 5 2 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(parse_machine(text), Some(38));
        assert_eq!(parse_machine("intr 5"), None);
    }

    #[test]
    fn this_very_process_is_found_among_all() {
        let before = of_this_process().unwrap();
        assert!(of_trees(&[std::process::id()]).unwrap()[0] >= before);
        assert!(of_machine().unwrap() > Duration::ZERO);
        assert!(of_trees(&[u32::MAX]).is_err());
    }
}
