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
    install();
}

/// From here on a signal removes unfinished files before it ends the program.
pub(super) fn install() {
    INSTALLED.call_once(listen);
}

/// Ignored signals stay ignored: SIGHUP does not end a program under `nohup`, and Ctrl-C does not end a program that a
/// script runs in the background.
#[cfg(unix)]
fn listen() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let heard = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|&signal| !crate::signals::is_ignored(signal));
    // Without a handler, a signal still ends the program, but less tidily.
    if let Ok(mut signals) = signal_hook::iterator::Signals::new(heard) {
        std::thread::spawn(move || signals.forever().for_each(|_| on_signal()));
    }
}

#[cfg(not(unix))]
fn listen() {
    // Without a handler, Ctrl-C still ends the program, but less tidily.
    let _ = ctrlc::set_handler(on_signal);
}

fn on_signal() {
    if STOP.get().is_some_and(|stop| !stop.swap(true, Ordering::SeqCst)) {
        return;
    }
    files::remove_parts();
    std::process::exit(130);
}
