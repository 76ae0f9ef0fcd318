//! Evaluation keys on disk: uploads that may break off and go on, and the sets that came of them.
//!
//! An upload is a file `upload-*.part`, checked while it grows. When it is whole it gets its name: the fingerprint of the key
//! pair, and the hash of the id under which its owner, and nobody else, uses and deletes it ([capability](super::capability)).
//! So two who upload keys under one fingerprint, which is in every ciphertext, do not meet; and the server finds all sets
//! again after a restart, but throws halves away.
//!
//! A set that was changed on disk by somebody else is found out by its length, the time of its last change and its checksums.
//! Its file is deleted, and its owner is told so (`keys_damaged`) until it would have expired.

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
use crate::pipeline::keys::{KeySet, LoadedKeys};
use crate::wire::ckks::Checker;

mod folder;
mod upload;

/// How many sets that were used last stay loaded, and how many bytes of each.
const LOADED: (usize, usize) = (8, 128 << 20);

/// An upload with fewer bytes than this makes room for another one when there is none.
const HARDLY_BEGUN: u64 = 64 << 10;

/// All keys of the server.
pub(super) struct Keys {
    folder: Folder,
    limits: Limits,
    counts: Arc<Shares>,
    bytes: Arc<Shares>,
    table: Mutex<HashMap<Key, Entry>>,
    /// Those used last, the last one at the end.
    loaded: Mutex<Vec<(Key, Arc<LoadedKeys>)>>,
}

/// What an id names, and whose it is, if that is known.
struct Entry {
    held: Held,
    client: Option<Client>,
}

/// What an id names.
#[derive(Clone)]
pub(super) enum Held {
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
    /// The file's length and last change when all of it was good.
    stamp: Mutex<(u64, SystemTime)>,
    _shares: [Share; 2],
}

impl Stored {
    fn new(keys: KeySet, expires: SystemTime, path: PathBuf, shares: [Share; 2]) -> Result<Self> {
        let stamp = Mutex::new(keys.stamp()?);
        Ok(Self { keys: Arc::new(keys), expires, path, stamp, _shares: shares })
    }

    /// Deletes the file. Those who have it open may go on with it.
    fn forget(&self) -> Result<()> {
        Ok(fs::remove_file(&self.path)?)
    }

    /// Whether the file is what it was. Reads all of it if somebody has written to it. Must run on a worker thread.
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
    /// Opens the folder, or makes one that vanishes with the process, under `spool`.
    pub(super) fn new(folder: Option<&Path>, spool: &Path, limits: &Limits) -> Result<Self> {
        let folder = Folder::open(folder, spool)?;
        let counts = Shares::new(limits.keys as u64, limits.client.keys as u64);
        let bytes = Shares::new(limits.key_bytes, limits.client.key_bytes);
        let mut table = HashMap::new();
        for found in folder.find(limits.keep_keys)? {
            let held = match found.set {
                Some((keys, path)) => {
                    let shares = [counts.adopt(1), bytes.adopt(keys.bytes())];
                    Held::Set(Arc::new(Stored::new(keys, found.expires, path, shares)?))
                }
                None => Held::Damaged(found.expires),
            };
            table.insert(found.key, Entry { held, client: None });
        }
        Ok(Self { folder, limits: *limits, counts, bytes, table: Mutex::new(table), loaded: Mutex::default() })
    }

    /// Sees to it that what was found at the start expires. Must run in the runtime.
    pub(super) fn watch_all(self: &Arc<Self>) {
        let expiry = |(key, entry): (&Key, &Entry)| match &entry.held {
            Held::Set(set) => Some((*key, set.expires)),
            Held::Damaged(expires) => Some((*key, *expires)),
            Held::Upload(_) => None,
        };
        let found: Vec<_> = self.table().iter().filter_map(expiry).collect();
        for (key, expires) in found {
            self.watch_set(key, expires);
        }
    }

    /// Begins an upload of `length` bytes, and gives its id.
    pub(super) fn begin(self: &Arc<Self>, client: Client, length: u64) -> Result<(String, Arc<Upload>)> {
        let most = self.bytes.each();
        if length > most {
            let message =
                format!("keys of {length} bytes are more than the {most} that this server takes of one client");
            return Err(Error::new(Code::TooLarge, message));
        }
        // Nothing is set aside for bytes that may never come.
        self.bytes.check(client, length).map_err(|full| self.no_room(full, Some(client)))?;
        let id = capability::new()?;
        let key = capability::key(&id);
        let file = self.folder.upload()?;
        let count = self.make_room(client)?;
        let bytes = self.bytes.take(client, 0).map_err(|full| self.no_room(full, Some(client)))?;
        let upload = Upload::new(length, Part { file, checker: Checker::new(length), count, bytes });
        self.table().insert(key, Entry { held: Held::Upload(Arc::clone(&upload)), client: Some(client) });
        self.watch_upload(key, &upload);
        Ok((id, upload))
    }

    /// Takes room for one more set. If there is none, the upload that has rested longest of those with hardly any bytes ends.
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
            Held::Upload(upload)
                if upload.offset() < HARDLY_BEGUN && (full == Full::All || entry.client == Some(client)) =>
            {
                Some((upload.rests_since()?, *key))
            }
            _ => None,
        });
        let Some((_, key)) = resting.min() else { return false };
        let Some(Entry { held: Held::Upload(upload), .. }) = table.get(&key) else { return false };
        let ended = upload.end_if_resting();
        if ended {
            table.remove(&key);
        }
        ended
    }

    /// The error where there is no room, with the time until something expires that makes room.
    fn no_room(&self, full: Full, client: Option<Client>) -> Error {
        let now = SystemTime::now();
        let ends = |entry: &Entry| match &entry.held {
            Held::Set(set) => set.expires.duration_since(now).unwrap_or_default(),
            Held::Damaged(_) => self.limits.keep_keys,
            Held::Upload(upload) => self.limits.rest(upload.offset()),
        };
        let table = self.table();
        let helps = table.values().filter(|entry| full == Full::All || entry.client == client);
        full.error(
            "the server keeps as many keys as it can; delete some or try again later",
            "this network address has as many keys here as one client may; delete some or try again later",
            admission::seconds(helps.map(ends).min().unwrap_or(self.limits.keep_keys)),
        )
    }

    /// What this id names. The answer is the same for an id that never was, was deleted, or has expired.
    pub(super) fn get(&self, id: &str) -> Result<Held> {
        self.table().get(&capability::key(id)).map(|entry| entry.held.clone()).ok_or_else(not_found)
    }

    /// What this id names, after a look at the file of a set. Must run on a worker thread.
    pub(super) fn look(&self, id: &str) -> Result<Held> {
        let held = self.get(id)?;
        let Held::Set(set) = &held else { return Ok(held) };
        match set.check() {
            Ok(()) => Ok(held),
            Err(error) if error.kind() == Code::Io => Err(error),
            Err(error) => Ok(Held::Damaged(self.damaged(id, set, &error))),
        }
    }

    /// A set that is all there.
    pub(super) fn set(&self, id: &str) -> Result<Arc<Stored>> {
        match self.get(id)? {
            Held::Set(set) => Ok(set),
            Held::Damaged(_) => Err(damaged()),
            Held::Upload(_) => {
                Err(Error::new(Code::KeysNotFound, "these keys are not all there yet; send the rest first"))
            }
        }
    }

    /// Does something with the keys of a set. Must run on a worker thread.
    ///
    /// # Errors
    /// What `work` says of keys that are missing or do not fit; [`Code::KeysDamaged`] if they cannot be read.
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

    /// Notes that a set is damaged, and deletes its file; gives how long that is remembered.
    fn damaged(&self, id: &str, set: &Stored, error: &Error) -> SystemTime {
        tracing::error!(reason = error.message(), "keys on disk are damaged and are deleted");
        let key = capability::key(id);
        self.unload(&key);
        if let Some(entry) = self.table().get_mut(&key) {
            entry.held = Held::Damaged(set.expires);
        }
        // It may be gone already: that is a damage, too.
        let _ = set.forget();
        set.expires
    }

    /// How many bytes of an upload are there, and how many it has. Whoever was writing is ended first.
    pub(super) async fn offset(&self, id: &str) -> Result<(u64, u64)> {
        if let Held::Upload(upload) = self.get(id)? {
            drop(upload.take_over().await);
        }
        // It may have been the last piece, or a bad one.
        match self.get(id)? {
            Held::Set(set) => Ok((set.keys.bytes(), set.keys.bytes())),
            Held::Upload(upload) => Ok((upload.offset(), upload.length)),
            Held::Damaged(_) => Err(damaged()),
        }
    }

    /// The right to write to an upload from this offset on, which must be where it ends.
    pub(super) async fn writer(self: &Arc<Self>, id: &str, offset: u64) -> Result<(CancellationToken, Writer)> {
        let upload = self.upload(id)?;
        let (token, part) = upload.take_over().await;
        let upload = self.upload(id)?;
        let there = upload.offset();
        if offset != there {
            let message = format!("{there} bytes are there, and the next piece must begin where they end");
            return Err(Error::new(Code::WrongOffset, message));
        }
        Ok((token, Writer::new(Arc::clone(self), capability::key(id), upload, part)))
    }

    fn upload(&self, id: &str) -> Result<Arc<Upload>> {
        match self.get(id)? {
            Held::Upload(upload) => Ok(upload),
            Held::Set(_) => Err(Error::new(Code::WrongOffset, "these keys are all there; nothing more can be sent")),
            Held::Damaged(_) => Err(damaged()),
        }
    }

    /// The upload becomes a set.
    fn finish(self: &Arc<Self>, key: &Key, upload: &Arc<Upload>, part: Part) -> Result<Held> {
        let Part { file, checker, count, bytes } = part;
        let path = self.folder.place(checker.finish()?.key(), key);
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| Error::from(error.error))?;
        self.folder.sync()?;
        let expires = SystemTime::now() + self.limits.keep_keys;
        let set = KeySet::open(&path).and_then(|keys| Stored::new(keys, expires, path.clone(), [count, bytes]));
        let set = Held::Set(Arc::new(set.inspect_err(|_| drop(fs::remove_file(&path)))?));
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
            Held::Set(set) => set.forget(),
            Held::Upload(upload) => {
                let (_, mut part) = upload.take_over().await;
                part.take();
                Ok(())
            }
            Held::Damaged(_) => Ok(()),
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
            if let Held::Set(set) = held
                && let Err(error) = set.forget()
            {
                tracing::error!(reason = error.message(), "keys that expired could not be deleted");
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
                // Somebody who writes right now is not resting, and has a least speed to keep to.
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
        matches!(&self.held, Held::Upload(known) if Arc::ptr_eq(known, upload))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is whole at every moment, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_found() -> Error {
    Error::new(Code::KeysNotFound, "there are no such keys, or they were not good, were deleted or have expired")
}

fn damaged() -> Error {
    Error::new(
        Code::KeysDamaged,
        "these keys were damaged on the server's disk; delete them there and upload them again",
    )
}
