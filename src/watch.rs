//! Progress and cancellation of long work: by a user at a terminal, or by a server whose client may go away.

use crate::error::Result;

/// Observes the work and may end it.
pub trait Watch: Sync {
    /// Reports that `done` of `total` steps are finished: rows of ciphertexts, machines, or whatever the work counts.
    fn progress(&self, done: u64, total: u64) {
        let _ = (done, total);
    }

    /// Called between steps. An error, such as [`Cancelled`](crate::error::Code::Cancelled), ends the work with it.
    ///
    /// # Errors
    /// Any error with which the watcher ends the work.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A watcher that does nothing.
pub struct NoWatch;

impl Watch for NoWatch {}

/// A watcher of one part of some work: it can end the work, but the progress is that of the whole.
pub struct PartWatch<'a>(pub &'a dyn Watch);

impl Watch for PartWatch<'_> {
    fn check(&self) -> Result<()> {
        self.0.check()
    }
}
