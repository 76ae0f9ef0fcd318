//! How long work is watched and ended: by a person at a terminal, or by a server for a client that may go away.

use crate::error::Result;

/// Somebody who watches the work and may end it.
pub trait Watch: Sync {
    /// `done` of `total` steps are finished: rows of ciphertexts, machines, or what else the work counts.
    fn progress(&self, done: u64, total: u64) {
        let _ = (done, total);
    }

    /// Asked between steps: an error, such as [`Cancelled`](crate::error::Code::Cancelled), ends the work with it.
    ///
    /// # Errors
    /// Whatever the watcher wants the work to end with.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// Nobody watches.
pub struct NoWatch;

impl Watch for NoWatch {}
