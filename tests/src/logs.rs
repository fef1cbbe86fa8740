//! What processes under test wrote: kept in `target/test-logs/<test>/`, and shown when the test fails.

use std::{
    fs::File,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::program;

/// As much of the end of each log is shown.
const SHOWN_LINES: usize = 40;

/// The log folder of one shop.
#[derive(Debug)]
pub(crate) struct Logs {
    folder: PathBuf,
}

impl Logs {
    /// A new, empty folder named after the running test.
    ///
    /// # Panics
    /// When it cannot be made.
    pub(crate) fn of_running_test() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let test = std::thread::current()
            .name()
            .unwrap_or("unnamed")
            .replace("::", ".");
        // A test may run several shops, one after the other.
        let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = program::target_folder()
            .join("test-logs")
            .join(format!("{test}.{counter}"));
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).expect("the target folder is writable");
        Self { folder }
    }

    /// The log of one process, to append to.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub(crate) fn open(&self, process: &str) -> File {
        File::options()
            .create(true)
            .append(true)
            .open(self.path(process))
            .expect("the log folder is writable")
    }

    /// All of one process's log.
    pub(crate) fn read(&self, process: &str) -> String {
        let text = std::fs::read(self.path(process)).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The end of one process's log.
    pub(crate) fn tail(&self, process: &str) -> String {
        let path = self.path(process);
        let text = self.read(process);
        let lines: Vec<_> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        format!("--- {}\n{}", path.display(), shown.join("\n"))
    }

    fn path(&self, process: &str) -> PathBuf {
        self.folder.join(format!("{process}.log"))
    }
}
