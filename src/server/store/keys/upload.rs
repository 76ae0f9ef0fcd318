//! An upload of keys: its file, checked while it grows, and the right to write to it.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::NamedTempFile;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::capability::Key;
use super::{KeySetState, Keys, locked, not_found};
use crate::error::{Error, Result};
use crate::schemes::ckks::wire::Checker;
use crate::server::client::Client;
use crate::server::config::Limits;
use crate::server::shares::Share;

/// A set that is being uploaded.
pub(in crate::server) struct Upload {
    pub(in crate::server) length: u64,
    client: Client,
    limits: Limits,
    offset: AtomicU64,
    /// Held by the request that writes.
    part: Arc<tokio::sync::Mutex<Option<Part>>>,
    /// Ends the request that writes, so that another one can resume.
    writer: Mutex<CancellationToken>,
    touched: Mutex<Instant>,
}

/// The parts of an upload so far. Its file vanishes when dropped.
pub(super) struct Part {
    pub(super) file: NamedTempFile,
    pub(super) checker: Checker,
    /// Grows with every byte that arrives.
    pub(super) bytes: Share,
}

impl Upload {
    pub(super) fn new((client, length): (Client, u64), limits: &Limits, part: Part) -> Arc<Self> {
        Arc::new(Self {
            length,
            client,
            limits: *limits,
            offset: AtomicU64::new(0),
            part: Arc::new(tokio::sync::Mutex::new(Some(part))),
            writer: Mutex::default(),
            touched: Mutex::new(Instant::now()),
        })
    }

    /// The number of bytes received.
    pub(in crate::server) fn offset(&self) -> u64 {
        self.offset.load(Ordering::Acquire)
    }

    /// Ends the request that writes, if there is one, and takes its place until the token is cancelled. The server may
    /// not have noticed yet that the other connection broke.
    pub(super) async fn take_over(&self) -> (CancellationToken, OwnedMutexGuard<Option<Part>>) {
        let token = CancellationToken::new();
        let writer = std::mem::replace(&mut *self.writer.lock().unwrap_or_else(PoisonError::into_inner), token.clone());
        writer.cancel();
        let part = Arc::clone(&self.part).lock_owned().await;
        (token, part)
    }

    /// When the upload was last written to; `None` while a request is writing.
    pub(super) fn rests_since(&self) -> Option<Instant> {
        self.part.try_lock().ok().map(|_| *locked(&self.touched))
    }

    /// When the upload expires if nothing more arrives. An upload in progress does not rest, and must keep to a minimum
    /// speed.
    pub(super) fn expires(&self) -> Instant {
        self.rests_since().unwrap_or_else(Instant::now) + self.limits.rest(self.offset())
    }

    /// Ends the upload, unless a request is writing.
    pub(super) fn end_if_resting(&self) -> bool {
        self.part.try_lock().map(|mut part| drop(part.take())).is_ok()
    }

    pub(super) fn touch(&self) {
        *locked(&self.touched) = Instant::now();
    }
}

/// The right to write to an upload. Bytes received before an early end stay; invalid keys do not.
pub(in crate::server) struct Writer {
    keys: Arc<Keys>,
    key: Key,
    upload: Arc<Upload>,
    part: OwnedMutexGuard<Option<Part>>,
    /// The set that the upload has become, once it is complete.
    done: Option<KeySetState>,
}

impl Writer {
    pub(super) fn new(keys: Arc<Keys>, key: Key, upload: Arc<Upload>, part: OwnedMutexGuard<Option<Part>>) -> Self {
        Self { keys, key, upload, part, done: None }
    }

    /// The number of bytes still to come.
    pub(in crate::server) fn rest(&self) -> u64 {
        self.upload.length - self.upload.offset()
    }

    /// The current state of the upload.
    pub(in crate::server) fn held(&self) -> KeySetState {
        self.done.clone().unwrap_or_else(|| KeySetState::Upload(Arc::clone(&self.upload)))
    }

    /// Writes the next piece. Must run on a worker thread. An invalid piece ends the upload.
    pub(in crate::server) fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.try_write(piece).map_err(|fault| {
            if fault.fatal {
                self.part.take();
                self.keys.remove(&self.key, &self.upload);
            }
            fault.error
        })
    }

    fn try_write(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let part = self.part.as_mut().ok_or_else(not_found)?;
        let offset = self.upload.offset();
        part.bytes.grow(piece.len() as u64).map_err(|full| self.keys.shelf.no_room(full, self.upload.client))?;
        // Overwrite any bytes that a failed write left behind.
        let written = part.file.seek(SeekFrom::Start(offset)).and_then(|_| part.file.write_all(piece));
        if let Err(error) = written {
            part.bytes.shrink(piece.len() as u64);
            return Err(Error::from(error).into());
        }
        part.checker.push(piece).map_err(Fault::fatal)?;
        self.upload.offset.store(offset + piece.len() as u64, Ordering::Release);
        if self.rest() == 0 {
            let part = self.part.take().ok_or_else(not_found)?;
            self.done = Some(self.keys.finish(&self.key, &self.upload, part).map_err(Fault::fatal)?);
        }
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.upload.touch();
    }
}

/// An error while receiving, and whether it ends the upload.
struct Fault {
    error: Error,
    fatal: bool,
}

impl Fault {
    fn fatal(error: Error) -> Self {
        Self { error, fatal: true }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, fatal: false }
    }
}
