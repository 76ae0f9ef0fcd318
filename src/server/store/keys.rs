//! Evaluation keys on disk: resumable uploads, and complete sets.
//!
//! An upload is a file `upload-*.part`, checked while it grows. Once complete, it gets its name: the fingerprint of the key
//! pair, and the hash of the id with which only its owner can use and delete it ([capability](super::capability)). So two
//! clients that upload keys with the same fingerprint, which is in every ciphertext, do not interfere. After a restart, the
//! server finds all complete sets again and deletes partial ones.
//!
//! A set that was changed on disk is detected by its length, modification time and checksums. Its file is deleted, and
//! its owner gets `keys_damaged` until the set would have expired.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::folder::Folder;
use self::upload::Part;
pub(in crate::server) use self::upload::{Upload, Writer};
use super::capability::{Id, Key};
use super::rings;
use super::shelf::{Shelf, Shelved, Words};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::key_file::{KeySet, LoadedKeys};
use crate::schemes::ckks::wire::Checker;
use crate::server::client::Client;
use crate::server::config::Limits;
use crate::server::shares::{Share, Shares};

pub(in crate::server) mod description;
mod folder;
mod upload;

/// How many of the most recently used sets stay loaded, and how many bytes of each.
const LOADED: (usize, usize) = (8, 128 << 20);

/// An upload with fewer bytes than this is deleted when another one needs room.
const HARDLY_BEGUN: u64 = 64 << 10;

const WORDS: Words = Words {
    not_found,
    full: "the server keeps as many keys as it can; delete some or try again later",
    own: "this network address has reached its limit of keys; delete some or try again later",
};

/// All keys of the server.
pub(in crate::server) struct Keys {
    folder: Folder,
    limits: Limits,
    shelf: Arc<Shelf<KeySetState>>,
    bytes: Arc<Shares>,
    loaded: Arc<Loaded>,
}

/// The state of the keys that an id names.
#[derive(Clone)]
pub(in crate::server) enum KeySetState {
    Upload(Arc<Upload>),
    Set(Arc<Stored>),
    /// A set that was damaged on disk.
    Damaged(SystemTime),
}

impl Shelved for KeySetState {
    fn expires(&self) -> Option<Instant> {
        match self {
            Self::Upload(upload) => Some(upload.expires()),
            Self::Set(set) => Some(instant(set.expires)),
            Self::Damaged(expires) => Some(instant(*expires)),
        }
    }

    fn may_go_since(&self) -> Option<Instant> {
        match self {
            Self::Upload(upload) if upload.offset() < HARDLY_BEGUN => upload.rests_since(),
            _ => None,
        }
    }

    fn let_go(&self) -> bool {
        match self {
            Self::Upload(upload) => upload.end_if_resting(),
            Self::Set(_) | Self::Damaged(_) => true,
        }
    }

    fn removed(&self) {
        if let Self::Set(set) = self
            && let Err(error) = set.forget()
        {
            tracing::error!(reason = error.message(), "could not delete expired keys");
        }
    }
}

impl KeySetState {
    /// Whether this is `upload`.
    fn is(&self, upload: &Arc<Upload>) -> bool {
        matches!(self, Self::Upload(known) if Arc::ptr_eq(known, upload))
    }
}

/// The [`Instant`] of a system time in the future.
fn instant(time: SystemTime) -> Instant {
    Instant::now() + time.duration_since(SystemTime::now()).unwrap_or_default()
}

/// The most recently used sets, the latest one last.
#[derive(Default)]
struct Loaded(Mutex<Vec<(Key, Arc<LoadedKeys>)>>);

impl Loaded {
    fn get(&self, set: &Stored) -> Result<Arc<LoadedKeys>> {
        let ring = rings::shared(set.keys.head().parameters())?.0;
        let mut loaded = locked(&self.0);
        let place = loaded.iter().position(|(known, _)| *known == set.key);
        let keys = match place.map(|place| loaded.remove(place)) {
            Some((_, keys)) => keys,
            None => Arc::new(LoadedKeys::new(Arc::clone(&set.keys), ring, LOADED.1)?),
        };
        loaded.push((set.key, Arc::clone(&keys)));
        if loaded.len() > LOADED.0 {
            loaded.remove(0);
        }
        Ok(keys)
    }

    fn unload(&self, key: &Key) {
        locked(&self.0).retain(|(known, _)| known != key);
    }
}

/// A set that can be used.
pub(in crate::server) struct Stored {
    pub(in crate::server) keys: Arc<KeySet>,
    pub(in crate::server) expires: SystemTime,
    key: Key,
    path: PathBuf,
    /// The file's length and modification time when it was last verified.
    stamp: Mutex<(u64, SystemTime)>,
    loaded: Arc<Loaded>,
    _bytes: Share,
}

impl Stored {
    /// Checks that the file is unchanged. Reads the whole file if it was written to. Must run on a worker thread.
    fn check(&self) -> Result<()> {
        let stamp = self.keys.stamp()?;
        if stamp != *locked(&self.stamp) {
            self.keys.verify()?;
            *locked(&self.stamp) = stamp;
        }
        Ok(())
    }

    /// Deletes the file. Requests that have it open can go on using it.
    fn forget(&self) -> Result<()> {
        self.loaded.unload(&self.key);
        Ok(fs::remove_file(&self.path)?)
    }
}

impl Keys {
    /// Opens the folder, or creates one under `spool` that vanishes with the process. Must run in the runtime.
    pub(in crate::server) fn new(folder: Option<&Path>, spool: &Path, limits: &Limits) -> Result<Self> {
        let keys = Self {
            folder: Folder::open(folder, spool)?,
            limits: *limits,
            shelf: Shelf::new(limits.keys, limits.client.keys, limits.keep_keys, WORDS),
            bytes: Shares::new(limits.key_bytes, limits.client.key_bytes),
            loaded: Arc::default(),
        };
        for found in keys.folder.find(limits.keep_keys)? {
            match found.set {
                Some((set, path)) => {
                    let bytes = keys.bytes.adopt(set.bytes());
                    let set = keys.stored(set, found.key, path, found.expires, bytes)?;
                    keys.shelf.place(found.key, KeySetState::Set(set), Some(keys.shelf.room_of_old()));
                }
                None => keys.shelf.place(found.key, KeySetState::Damaged(found.expires), None),
            }
        }
        Ok(keys)
    }

    fn stored(&self, keys: KeySet, key: Key, path: PathBuf, expires: SystemTime, bytes: Share) -> Result<Arc<Stored>> {
        let (stamp, loaded) = (Mutex::new(keys.stamp()?), Arc::clone(&self.loaded));
        Ok(Arc::new(Stored { keys: Arc::new(keys), expires, key, path, stamp, loaded, _bytes: bytes }))
    }

    /// Starts an upload of `length` bytes, and returns its id. Must run in the runtime.
    pub(in crate::server) fn begin(&self, client: Client, length: u64) -> Result<(Id, Arc<Upload>)> {
        let most = self.bytes.each();
        if length > most {
            let message = format!("keys of {length} bytes exceed this server's limit of {most} bytes per client");
            return Err(Error::new(Code::TooLarge, message));
        }
        // No room is reserved for bytes that may never arrive.
        self.bytes.check(client, length).map_err(|full| self.shelf.no_room(full, client))?;
        let file = self.folder.upload()?;
        let room = self.shelf.room(client)?;
        let bytes = self.bytes.take(client, 0).map_err(|full| self.shelf.no_room(full, client))?;
        let upload = Upload::new((client, length), &self.limits, Part { file, checker: Checker::new(length), bytes });
        let id = self.shelf.put(KeySetState::Upload(Arc::clone(&upload)), room)?;
        Ok((id, upload))
    }

    /// The state of the keys that this id names. The error is the same for an id that never existed, was deleted or has
    /// expired.
    pub(in crate::server) fn get(&self, id: &Id) -> Result<KeySetState> {
        self.shelf.get(id)
    }

    /// The state of the keys that this id names, after checking the file of a set. Must run on a worker thread.
    pub(in crate::server) fn look(&self, id: &Id) -> Result<KeySetState> {
        let held = self.get(id)?;
        let KeySetState::Set(set) = &held else { return Ok(held) };
        match set.check() {
            Ok(()) => Ok(held),
            Err(error) if error.kind() == Code::Io => Err(error),
            Err(error) => Ok(KeySetState::Damaged(self.damaged(set, &error))),
        }
    }

    /// A complete set.
    pub(in crate::server) fn set(&self, id: &Id) -> Result<Arc<Stored>> {
        match self.get(id)? {
            KeySetState::Set(set) => Ok(set),
            KeySetState::Damaged(_) => Err(damaged()),
            KeySetState::Upload(_) => {
                Err(Error::new(Code::KeysNotFound, "these keys are not complete yet; send the rest first"))
            }
        }
    }

    /// Calls `work` with the keys of a set. Must run on a worker thread.
    ///
    /// # Errors
    /// Errors of `work` for missing or unsuitable keys; [`Code::KeysDamaged`] if they cannot be read.
    pub(in crate::server) fn with<T>(&self, id: &Id, work: impl FnOnce(&LoadedKeys) -> Result<T>) -> Result<T> {
        let set = self.set(id)?;
        let outcome = set.check().and_then(|()| self.loaded.get(&set)).and_then(|keys| work(&keys));
        outcome.map_err(|error| match error.kind() {
            Code::MissingKey | Code::WrongParameters | Code::Io | Code::TooLarge | Code::Internal => error,
            _ => {
                self.damaged(&set, &error);
                damaged()
            }
        })
    }

    /// Marks a set as damaged and deletes its file; returns the time until which this is remembered.
    fn damaged(&self, set: &Stored, error: &Error) -> SystemTime {
        tracing::error!(reason = error.message(), "deleting damaged keys on disk");
        self.shelf.update(&set.key, |entry| {
            entry.item = KeySetState::Damaged(set.expires);
            entry.room = None;
        });
        // The file may already be gone, which is also damage.
        let _ = set.forget();
        set.expires
    }

    /// The number of bytes received of an upload, and the total. Ends the request that is writing first.
    pub(in crate::server) async fn offset(&self, id: &Id) -> Result<(u64, u64)> {
        if let KeySetState::Upload(upload) = self.get(id)? {
            drop(upload.take_over().await);
        }
        // The piece that was being written may have been the last one, or an invalid one.
        match self.get(id)? {
            KeySetState::Set(set) => Ok((set.keys.bytes(), set.keys.bytes())),
            KeySetState::Upload(upload) => Ok((upload.offset(), upload.length)),
            KeySetState::Damaged(_) => Err(damaged()),
        }
    }

    /// The right to write to an upload from `offset`, which must be its end.
    pub(in crate::server) async fn writer(
        self: &Arc<Self>,
        id: &Id,
        offset: u64,
    ) -> Result<(CancellationToken, Writer)> {
        let upload = self.upload(id)?;
        let (token, part) = upload.take_over().await;
        let upload = self.upload(id)?;
        let there = upload.offset();
        if offset != there {
            let message = format!("{there} bytes have arrived; the next piece must start there");
            return Err(Error::new(Code::WrongOffset, message));
        }
        Ok((token, Writer::new(Arc::clone(self), id.key(), upload, part)))
    }

    fn upload(&self, id: &Id) -> Result<Arc<Upload>> {
        match self.get(id)? {
            KeySetState::Upload(upload) => Ok(upload),
            KeySetState::Set(_) => {
                Err(Error::new(Code::WrongOffset, "these keys are complete; nothing more can be sent"))
            }
            KeySetState::Damaged(_) => Err(damaged()),
        }
    }

    /// Turns a complete upload into a set.
    fn finish(&self, key: &Key, upload: &Arc<Upload>, part: Part) -> Result<KeySetState> {
        let Part { file, checker, bytes } = part;
        let path = self.folder.place(checker.finish()?.key(), key);
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| Error::from(error.error))?;
        self.folder.sync()?;
        let expires = SystemTime::now() + self.limits.keep_keys;
        let set = KeySet::open(&path).and_then(|keys| self.stored(keys, *key, path.clone(), expires, bytes));
        let set = KeySetState::Set(set.inspect_err(|_| drop(fs::remove_file(&path)))?);
        // The upload may have been deleted in the meantime.
        let there = self.shelf.update(key, |entry| {
            let there = entry.item.is(upload);
            if there {
                entry.item = set.clone();
            }
            there
        });
        if there != Some(true) {
            fs::remove_file(&path)?;
            return Err(not_found());
        }
        self.shelf.schedule(key);
        Ok(set)
    }

    /// Deletes a set, or ends an upload.
    pub(in crate::server) async fn delete(&self, id: &Id) -> Result<()> {
        match self.shelf.take(id)? {
            KeySetState::Set(set) => set.forget(),
            KeySetState::Upload(upload) => {
                let (_, mut part) = upload.take_over().await;
                part.take();
                Ok(())
            }
            KeySetState::Damaged(_) => Ok(()),
        }
    }

    fn remove(&self, key: &Key, upload: &Arc<Upload>) {
        self.shelf.remove_if(key, |held| held.is(upload));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The content is consistent at every moment, so a panic elsewhere does no harm.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_found() -> Error {
    Error::new(Code::KeysNotFound, "these keys do not exist, were invalid, were deleted or have expired")
}

fn damaged() -> Error {
    Error::new(
        Code::KeysDamaged,
        "these keys were damaged on the server's disk; delete them there and upload them again",
    )
}
