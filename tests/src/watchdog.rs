//! Ends what a test run started when the run itself is killed and no `drop` happens.

use std::{
    io::Write,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, OnceLock},
};

use crate::backing;

/// Reads names of processes and instances until its input ends, which happens when this process does, whatever way.
/// A process id may have gone to a stranger by then, so only what is called like one of ours is ended.
const SCRIPT: &str = r#"
    trap '' INT TERM HUP
    while read -r kind value; do
      case $kind in
        process) processes="$processes $value" ;;
        instance) instances="$instances $value" ;;
      esac
    done
    for process in $processes; do
      case $(cat "/proc/$process/comm" 2>/dev/null || ps -o comm= -p "$process") in
        *gozon* | prometheus) kill -KILL "$process" ;;
      esac
    done
    for instance in $instances; do
      [ ! -d "$instance" ] || GOZON_LOCAL_DIR=$instance "$1" reset
    done
"#;

/// Makes sure that a process of ours does not outlive us.
pub(crate) fn watch_process(id: u32) {
    tell(&format!("process {id}"));
}

/// Makes sure that an instance of ours does not outlive us.
pub(crate) fn watch_instance(folder: &Path) {
    tell(&format!("instance {}", folder.display()));
}

fn tell(line: &str) {
    static WATCHDOG: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let mut input = WATCHDOG
        .get_or_init(|| Mutex::new(start()))
        .lock()
        .expect("nothing panics while it tells the watchdog");
    writeln!(input, "{line}").expect("the watchdog listens as long as we live");
}

fn start() -> ChildStdin {
    Command::new("sh")
        .args(["-c", SCRIPT, "watchdog"])
        .arg(backing::script())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("every Unix has a shell")
        .stdin
        .take()
        .expect("its input was asked for")
}
