//! The terminal: progress, notes, errors and Ctrl-C.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt;
use crate::error::{Code, Error, Result};
use crate::watch::Watch;

/// Writes to the user, on standard error only.
pub(super) struct Ui {
    quiet: bool,
    terminal: bool,
    stop: Arc<AtomicBool>,
}

impl Ui {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, terminal: stderr().is_terminal(), stop: Arc::default() }
    }

    /// From here on, a first Ctrl-C (or SIGTERM, or SIGHUP) stops the work cleanly, and a second one stops it at once.
    pub(super) fn catch_interrupts(&self) {
        interrupt::orderly(&self.stop);
    }

    /// Shows something that the user should know while the work continues.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            say(&format!("note: {text}"));
        }
    }

    /// Shows something that must not be overlooked, even with `--quiet`.
    #[cfg(feature = "client")]
    #[expect(clippy::unused_self, reason = "like the other ways to speak")]
    pub(super) fn warn(&self, text: &str) {
        say(&format!("warning: {text}"));
    }

    /// Shows a summary of the work, on terminals only.
    pub(super) fn summary(&self, text: &str) {
        if self.terminal && !self.quiet {
            say(text);
        }
    }

    /// Shows the reason for exit code 1.
    pub(super) fn error(error: &Error) {
        say(&format!("error[{}]: {}", error.code(), error.message()));
    }

    /// A progress bar in units of work, or in bytes.
    pub(super) fn bar(&self, label: &'static str, unit: Unit) -> Bar {
        let template = match unit {
            Unit::Rows => "{msg:>11} [{bar:40}] {percent:>3}%  {eta_precise} left",
            Unit::Bytes => "{msg:>11} [{bar:40}] {bytes} of {total_bytes}  {eta_precise} left",
            Unit::Unknown => "{msg:>11} {spinner} {elapsed_precise}",
        };
        let target =
            if self.terminal && !self.quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(label);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Bar { bar, stop: Arc::clone(&self.stop) }
    }
}

/// What a bar counts.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Rows,
    Bytes,
    Unknown,
}

/// A progress bar that also carries the request to stop. It vanishes when dropped.
#[derive(Clone)]
pub(super) struct Bar {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
}

impl Bar {
    /// Whether the user wants to stop.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    pub(super) fn tick(&self) {
        self.bar.tick();
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar {
    fn progress(&self, done: u64, total: u64) {
        if self.bar.length() != Some(total) {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    fn check(&self) -> Result<()> {
        if self.stopped() {
            return Err(Error::new(Code::Cancelled, "stopped before it was finished; nothing was written"));
        }
        Ok(())
    }
}

/// Writes a line to standard error. Text may come from a file or a server, so control characters become spaces.
fn say(text: &str) {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // If writing fails, nothing can be done about it.
    let _ = writeln!(stderr(), "{clean}");
}
