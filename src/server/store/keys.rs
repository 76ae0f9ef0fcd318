//! Evaluation keys on disk: resumable uploads, and complete sets.
//!
//! An upload is a file `upload-*.part`, checked while it grows. Once complete, it gets its name: the fingerprint of the key
//! pair, and the hash of the id with which only its owner can use and delete it ([capability](super::capability)). So two
//! clients that upload keys with the same fingerprint, which is in every ciphertext, do not interfere. After a restart, the
//! server finds all complete sets again and deletes partial ones.
//!
//! A set that was changed on disk is detected by its length, modification time and checksums. Its file is deleted, and its
//! owner gets `keys_damaged` until it would have expired.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::folder::Folder;
use self::upload::Part;
pub(super) use self::upload::{Upload, Writer};
use super::capability::{self, Key};
use super::client::Client;
use super::config::Limits;
use super::shares::{Full, Share, Shares};
use super::{admission, rings};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::key_file::{KeySet, LoadedKeys};
use crate::schemes::ckks::wire::Checker;

mod folder;
mod upload;

/// How many of the most recently used sets stay loaded, and how many bytes of each.
const LOADED: (usize, usize) = (8, 128 << 20);

/// An upload with fewer bytes than this is deleted when another one needs room.
const HARDLY_BEGUN: u64 = 64 << 10;

/// All keys of the server.
pub(super) struct Keys {
    folder: Folder,
    limits: Limits,
    counts: Arc<Shares>,
    bytes: Arc<Shares>,
    table: Mutex<HashMap<Key, Entry>>,
    /// The most recently used sets, the latest one last.
    loaded: Mutex<Vec<(Key, Arc<LoadedKeys>)>>,
}

/// What an id names, and its client, if known.
struct Entry {
    held: KeySetState,
    client: Option<Client>,
}

/// What an id names.
#[derive(Clone)]
pub(super) enum KeySetState {
    Upload(Arc<Upload>),
    Set(Arc<Stored>),
    /// A set that was damaged on disk.
    Damaged(SystemTime),
}

/// A set that can be used.
pub(super) struct Stored {
    pub(super) keys: Arc<KeySet>,
    pub(super) expires: SystemTime,
    path: PathBuf,
    /// The file's length and modification time when it was last verified.
    stamp: Mutex<(u64, SystemTime)>,
    _shares: [Share; 2],
}

impl Stored {
    fn new(keys: KeySet, expires: SystemTime, path: PathBuf, shares: [Share; 2]) -> Result<Self> {
        let stamp = Mutex::new(keys.stamp()?);
        Ok(Self { keys: Arc::new(keys), expires, path, stamp, _shares: shares })
    }

    /// Deletes the file. Requests that have it open can go on using it.
    fn forget(&self) -> Result<()> {
        Ok(fs::remove_file(&self.path)?)
    }

    /// Checks that the file is unchanged. Reads all of it if it was written to. Must run on a worker thread.
    fn check(&self) -> Result<()> {
        let stamp = self.keys.stamp()?;
        if stamp != *locked(&self.stamp) {
            self.keys.verify()?;
            *locked(&self.stamp) = stamp;
        }
        Ok(())
    }
}

impl Keys {
    /// Opens the folder, or creates one under `spool` that vanishes with the process.
    pub(super) fn new(folder: Option<&Path>, spool: &Path, limits: &Limits) -> Result<Self> {
        let folder = Folder::open(folder, spool)?;
        let counts = Shares::new(limits.keys as u64, limits.client.keys as u64);
        let bytes = Shares::new(limits.key_bytes, limits.client.key_bytes);
        let mut table = HashMap::new();
        for found in folder.find(limits.keep_keys)? {
            let held = match found.set {
                Some((keys, path)) => {
                    let shares = [counts.adopt(1), bytes.adopt(keys.bytes())];
                    KeySetState::Set(Arc::new(Stored::new(keys, found.expires, path, shares)?))
                }
                None => KeySetState::Damaged(found.expires),
            };
            table.insert(found.key, Entry { held, client: None });
        }
        Ok(Self { folder, limits: *limits, counts, bytes, table: Mutex::new(table), loaded: Mutex::default() })
    }

    /// Schedules the expiry of the sets found at the start. Must run in the runtime.
    pub(super) fn watch_all(self: &Arc<Self>) {
        let expiry = |(key, entry): (&Key, &Entry)| match &entry.held {
            KeySetState::Set(set) => Some((*key, set.expires)),
            KeySetState::Damaged(expires) => Some((*key, *expires)),
            KeySetState::Upload(_) => None,
        };
        let found: Vec<_> = self.table().iter().filter_map(expiry).collect();
        for (key, expires) in found {
            self.watch_set(key, expires);
        }
    }

    /// Starts an upload of `length` bytes, and returns its id.
    pub(super) fn begin(self: &Arc<Self>, client: Client, length: u64) -> Result<(String, Arc<Upload>)> {
        let most = self.bytes.each();
        if length > most {
            let message = format!("keys of {length} bytes exceed this server's limit of {most} bytes per client");
            return Err(Error::new(Code::TooLarge, message));
        }
        // No room is reserved for bytes that may never arrive.
        self.bytes.check(client, length).map_err(|full| self.no_room(full, Some(client)))?;
        let id = capability::new()?;
        let key = capability::key(&id);
        let file = self.folder.upload()?;
        let count = self.make_room(client)?;
        let bytes = self.bytes.take(client, 0).map_err(|full| self.no_room(full, Some(client)))?;
        let upload = Upload::new(length, Part { file, checker: Checker::new(length), count, bytes });
        self.table().insert(key, Entry { held: KeySetState::Upload(Arc::clone(&upload)), client: Some(client) });
        self.watch_upload(key, &upload);
        Ok((id, upload))
    }

    /// Takes room for one more set. If there is none, the longest-idle upload with hardly any bytes is deleted.
    fn make_room(&self, client: Client) -> Result<Share> {
        loop {
            let full = match self.counts.take(client, 1) {
                Ok(share) => return Ok(share),
                Err(full) => full,
            };
            if !self.end_hardly_begun(full, client) {
                return Err(self.no_room(full, Some(client)));
            }
        }
    }

    fn end_hardly_begun(&self, full: Full, client: Client) -> bool {
        let mut table = self.table();
        let resting = table.iter().filter_map(|(key, entry)| match &entry.held {
            KeySetState::Upload(upload)
                if upload.offset() < HARDLY_BEGUN && (full == Full::All || entry.client == Some(client)) =>
            {
                Some((upload.rests_since()?, *key))
            }
            _ => None,
        });
        let Some((_, key)) = resting.min() else { return false };
        let Some(Entry { held: KeySetState::Upload(upload), .. }) = table.get(&key) else { return false };
        let ended = upload.end_if_resting();
        if ended {
            table.remove(&key);
        }
        ended
    }

    /// The error if there is no room, with the time until something expires.
    fn no_room(&self, full: Full, client: Option<Client>) -> Error {
        let now = SystemTime::now();
        let ends = |entry: &Entry| match &entry.held {
            KeySetState::Set(set) => set.expires.duration_since(now).unwrap_or_default(),
            KeySetState::Damaged(_) => self.limits.keep_keys,
            KeySetState::Upload(upload) => self.limits.rest(upload.offset()),
        };
        let table = self.table();
        let helps = table.values().filter(|entry| full == Full::All || entry.client == client);
        full.error(
            "the server keeps as many keys as it can; delete some or try again later",
            "this network address has reached its limit of keys; delete some or try again later",
            admission::seconds(helps.map(ends).min().unwrap_or(self.limits.keep_keys)),
        )
    }

    /// What this id names. The error is the same for an id that never existed, was deleted or has expired.
    pub(super) fn get(&self, id: &str) -> Result<KeySetState> {
        self.table().get(&capability::key(id)).map(|entry| entry.held.clone()).ok_or_else(not_found)
    }

    /// What this id names, after checking the file of a set. Must run on a worker thread.
    pub(super) fn look(&self, id: &str) -> Result<KeySetState> {
        let held = self.get(id)?;
        let KeySetState::Set(set) = &held else { return Ok(held) };
        match set.check() {
            Ok(()) => Ok(held),
            Err(error) if error.kind() == Code::Io => Err(error),
            Err(error) => Ok(KeySetState::Damaged(self.damaged(id, set, &error))),
        }
    }

    /// A complete set.
    pub(super) fn set(&self, id: &str) -> Result<Arc<Stored>> {
        match self.get(id)? {
            KeySetState::Set(set) => Ok(set),
            KeySetState::Damaged(_) => Err(damaged()),
            KeySetState::Upload(_) => {
                Err(Error::new(Code::KeysNotFound, "these keys are not complete yet; send the rest first"))
            }
        }
    }

    /// Does something with the keys of a set. Must run on a worker thread.
    ///
    /// # Errors
    /// Errors of `work` for missing or unsuitable keys; [`Code::KeysDamaged`] if they cannot be read.
    pub(super) fn with<T>(&self, id: &str, work: impl FnOnce(&LoadedKeys) -> Result<T>) -> Result<T> {
        let set = self.set(id)?;
        let outcome = set.check().and_then(|()| self.loaded(id, &set)).and_then(|keys| work(&keys));
        outcome.map_err(|error| match error.kind() {
            Code::MissingKey | Code::WrongParameters | Code::Io | Code::TooLarge | Code::Internal => error,
            _ => {
                self.damaged(id, &set, &error);
                damaged()
            }
        })
    }

    fn loaded(&self, id: &str, set: &Stored) -> Result<Arc<LoadedKeys>> {
        let key = capability::key(id);
        let ring = rings::shared(set.keys.head().parameters())?.0;
        let mut loaded = locked(&self.loaded);
        let place = loaded.iter().position(|(known, _)| *known == key);
        let keys = match place.map(|place| loaded.remove(place)) {
            Some((_, keys)) => keys,
            None => Arc::new(LoadedKeys::new(Arc::clone(&set.keys), ring, LOADED.1)?),
        };
        loaded.push((key, Arc::clone(&keys)));
        if loaded.len() > LOADED.0 {
            loaded.remove(0);
        }
        Ok(keys)
    }

    fn unload(&self, key: &Key) {
        locked(&self.loaded).retain(|(known, _)| known != key);
    }

    /// Marks a set as damaged and deletes its file; returns how long that is remembered.
    fn damaged(&self, id: &str, set: &Stored, error: &Error) -> SystemTime {
        tracing::error!(reason = error.message(), "deleting damaged keys on disk");
        let key = capability::key(id);
        self.unload(&key);
        if let Some(entry) = self.table().get_mut(&key) {
            entry.held = KeySetState::Damaged(set.expires);
        }
        // It may already be gone, which is also damage.
        let _ = set.forget();
        set.expires
    }

    /// The number of bytes received of an upload, and the total. Ends the request that is writing first.
    pub(super) async fn offset(&self, id: &str) -> Result<(u64, u64)> {
        if let KeySetState::Upload(upload) = self.get(id)? {
            drop(upload.take_over().await);
        }
        // It may have been the last piece, or a bad one.
        match self.get(id)? {
            KeySetState::Set(set) => Ok((set.keys.bytes(), set.keys.bytes())),
            KeySetState::Upload(upload) => Ok((upload.offset(), upload.length)),
            KeySetState::Damaged(_) => Err(damaged()),
        }
    }

    /// The right to write to an upload from this offset, which must be its end.
    pub(super) async fn writer(self: &Arc<Self>, id: &str, offset: u64) -> Result<(CancellationToken, Writer)> {
        let upload = self.upload(id)?;
        let (token, part) = upload.take_over().await;
        let upload = self.upload(id)?;
        let there = upload.offset();
        if offset != there {
            let message = format!("{there} bytes have arrived; the next piece must start there");
            return Err(Error::new(Code::WrongOffset, message));
        }
        Ok((token, Writer::new(Arc::clone(self), capability::key(id), upload, part)))
    }

    fn upload(&self, id: &str) -> Result<Arc<Upload>> {
        match self.get(id)? {
            KeySetState::Upload(upload) => Ok(upload),
            KeySetState::Set(_) => {
                Err(Error::new(Code::WrongOffset, "these keys are complete; nothing more can be sent"))
            }
            KeySetState::Damaged(_) => Err(damaged()),
        }
    }

    /// The upload becomes a set.
    fn finish(self: &Arc<Self>, key: &Key, upload: &Arc<Upload>, part: Part) -> Result<KeySetState> {
        let Part { file, checker, count, bytes } = part;
        let path = self.folder.place(checker.finish()?.key(), key);
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| Error::from(error.error))?;
        self.folder.sync()?;
        let expires = SystemTime::now() + self.limits.keep_keys;
        let set = KeySet::open(&path).and_then(|keys| Stored::new(keys, expires, path.clone(), [count, bytes]));
        let set = KeySetState::Set(Arc::new(set.inspect_err(|_| drop(fs::remove_file(&path)))?));
        {
            let mut table = self.table();
            // It may have been deleted in the meantime.
            let Some(entry) = table.get_mut(key).filter(|entry| entry.is(upload)) else {
                drop(table);
                fs::remove_file(&path)?;
                return Err(not_found());
            };
            entry.held = set.clone();
        }
        self.watch_set(*key, expires);
        Ok(set)
    }

    /// Deletes a set, or ends an upload.
    pub(super) async fn delete(&self, id: &str) -> Result<()> {
        let key = capability::key(id);
        let entry = self.table().remove(&key).ok_or_else(not_found)?;
        self.unload(&key);
        match entry.held {
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
        let mut table = self.table();
        if table.get(key).is_some_and(|entry| entry.is(upload)) {
            table.remove(key);
        }
    }

    fn watch_set(self: &Arc<Self>, key: Key, expires: SystemTime) {
        let keys = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(expires.duration_since(SystemTime::now()).unwrap_or_default()).await;
            let Some(keys) = keys.upgrade() else { return };
            let Some(Entry { held, .. }) = keys.table().remove(&key) else { return };
            keys.unload(&key);
            if let KeySetState::Set(set) = held
                && let Err(error) = set.forget()
            {
                tracing::error!(reason = error.message(), "could not delete expired keys");
            }
        });
    }

    fn watch_upload(self: &Arc<Self>, key: Key, upload: &Arc<Upload>) {
        let (keys, upload) = (Arc::downgrade(self), Arc::downgrade(upload));
        let mut until = Instant::now() + self.limits.rest(0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep_until(until).await;
                let Some((keys, upload)) = keys.upgrade().zip(upload.upgrade()) else { return };
                let rest = keys.limits.rest(upload.offset());
                // An upload in progress is not idle, and must keep to a minimum speed.
                until = upload.rests_since().unwrap_or_else(Instant::now) + rest;
                if until <= Instant::now() && upload.end_if_resting() {
                    keys.remove(&key, &upload);
                    return;
                }
                until = until.max(Instant::now() + Duration::from_millis(1));
            }
        });
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        locked(&self.table)
    }
}

impl Entry {
    /// Whether this is the upload.
    fn is(&self, upload: &Arc<Upload>) -> bool {
        matches!(&self.held, KeySetState::Upload(known) if Arc::ptr_eq(known, upload))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is whole at every moment, so a panic elsewhere does not spoil it.
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
