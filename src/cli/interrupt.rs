//! Ctrl-C, SIGTERM and SIGHUP: the work stops cleanly and leaves no partial file behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, OnceLock};

use super::files;

static INSTALLED: Once = Once::new();
/// The request to stop, for commands that check it.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From here on the first signal sets `stop`, and the second ends the program.
pub(super) fn orderly(stop: &Arc<AtomicBool>) {
    let _ = STOP.set(Arc::clone(stop));
    // Without a handler Ctrl-C still ends the program, if less tidily.
    INSTALLED.call_once(|| _ = ctrlc::set_handler(on_signal));
}

/// From here on a signal removes unfinished files before it ends the program.
pub(super) fn install() {
    // A program under nohup is not ended by a hang-up, and a handler would end it.
    if !hang_ups_are_ignored() {
        INSTALLED.call_once(|| _ = ctrlc::set_handler(on_signal));
    }
}

fn on_signal() {
    if STOP.get().is_some_and(|stop| !stop.swap(true, Ordering::SeqCst)) {
        return;
    }
    files::remove_parts();
    std::process::exit(130);
}

/// Whether SIGHUP, which is signal 1, was ignored when the program started.
fn hang_ups_are_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
