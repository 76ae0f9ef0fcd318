//! Evaluation keys on disk: uploads that may break off and go on, and the sets that came of them.
//!
//! An upload is a file `upload-*.part`, checked while it grows. When it is whole it gets its name: the fingerprint of the key
//! pair, and the hash of the id under which its owner, and nobody else, uses and deletes it ([capability](super::capability)).
//! So two who upload keys under one fingerprint, which is in every ciphertext, do not meet; and the server finds all sets
//! again after a restart, but throws halves away.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::{NamedTempFile, TempDir};
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::capability::{self, Key};
use super::rings;
use crate::error::{Code, Error, Result};
use crate::pipeline::keys::{KeySet, LoadedKeys};
use crate::wire::ckks::Checker;

/// What the names of sets end in.
const SET: &str = ".keys";
/// What the names of uploads begin and end with.
const UPLOAD: (&str, &str) = ("upload-", ".part");
/// Held by the server that has the folder.
const LOCK: &str = "lock";
/// How much of an upload is read at a time.
const CHUNK: usize = 256 << 10;

/// How much is kept, and for how long.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Most sets and uploads.
    pub(super) most: usize,
    /// Most bytes of all together.
    pub(super) most_bytes: u64,
    /// How long a set is kept.
    pub(super) keep: Duration,
    /// How long an upload may rest.
    pub(super) rest: Duration,
}

/// How many sets that were used last stay loaded, and how many bytes of each.
const LOADED: (usize, usize) = (8, 128 << 20);

/// All keys of the server.
pub(super) struct Keys {
    folder: PathBuf,
    rules: Rules,
    table: Mutex<HashMap<Key, Held>>,
    /// Those used last, the last one at the end.
    loaded: Mutex<Vec<(Key, Arc<LoadedKeys>)>>,
    _lock: File,
    /// The folder itself, if it is to vanish with the process.
    _own: Option<TempDir>,
}

/// What an id names.
#[derive(Clone)]
pub(super) enum Held {
    Upload(Arc<Upload>),
    Set(Arc<Stored>),
}

impl Held {
    fn bytes(&self) -> u64 {
        match self {
            Self::Upload(upload) => upload.length,
            Self::Set(set) => set.keys.bytes(),
        }
    }
}

/// A set that can be used.
pub(super) struct Stored {
    pub(super) keys: Arc<KeySet>,
    pub(super) expires: SystemTime,
    path: PathBuf,
}

impl Stored {
    /// Deletes the file. Those who have it mapped may go on with it.
    fn forget(&self) -> Result<()> {
        Ok(fs::remove_file(&self.path)?)
    }
}

/// A set that is on its way.
pub(super) struct Upload {
    pub(super) length: u64,
    offset: AtomicU64,
    /// Whoever writes has it.
    part: Arc<tokio::sync::Mutex<Option<Part>>>,
    /// Ends the request that writes, so that another one can go on.
    writer: Mutex<CancellationToken>,
    touched: Mutex<Instant>,
}

/// The file of an upload, which vanishes when dropped.
struct Part {
    file: NamedTempFile,
    checker: Checker,
}

/// The right to write to an upload.
pub(super) struct Turn {
    key: Key,
    upload: Arc<Upload>,
    part: OwnedMutexGuard<Option<Part>>,
}

impl Turn {
    /// How many bytes are still to come.
    pub(super) fn rest(&self) -> u64 {
        self.upload.length - self.upload.offset()
    }
}

impl Upload {
    /// How many bytes are there.
    pub(super) fn offset(&self) -> u64 {
        self.offset.load(Ordering::Acquire)
    }

    /// Ends the request that writes, if there is one, and takes its place until the token is cancelled. The connection that
    /// broke may not be known to be broken yet.
    async fn take_over(&self) -> (CancellationToken, OwnedMutexGuard<Option<Part>>) {
        let token = CancellationToken::new();
        std::mem::replace(&mut *locked(&self.writer), token.clone()).cancel();
        let part = Arc::clone(&self.part).lock_owned().await;
        (token, part)
    }

    fn touch(&self) {
        *locked(&self.touched) = Instant::now();
    }
}

impl Keys {
    /// Opens the folder, or makes one that vanishes with the process, under `spool`.
    pub(super) fn new(folder: Option<&Path>, spool: &Path, rules: Rules) -> Result<Self> {
        let own = if folder.is_none() { Some(TempDir::with_prefix_in("safelight-keys-", spool)?) } else { None };
        let folder = folder.or(own.as_ref().map(TempDir::path)).unwrap_or(spool).to_owned();
        let lock = File::create(folder.join(LOCK))?;
        lock.try_lock().map_err(|_| {
            let message = format!("the keys in {} are in use by another server; name another folder", folder.display());
            Error::new(Code::BadArgument, message)
        })?;
        Ok(Self {
            table: Mutex::new(find(&folder, rules.keep)?),
            loaded: Mutex::default(),
            folder,
            rules,
            _lock: lock,
            _own: own,
        })
    }

    /// Sees to it that what was found at the start expires. Must run in the runtime.
    pub(super) fn watch_all(self: &Arc<Self>) {
        let found: Vec<_> = self.table().iter().map(|(key, held)| (*key, held.clone())).collect();
        for (key, held) in found {
            if let Held::Set(set) = held {
                self.watch_set(key, set.expires);
            }
        }
    }

    /// Begins an upload of so many bytes, and gives its id.
    pub(super) fn begin(self: &Arc<Self>, length: u64) -> Result<(String, Arc<Upload>)> {
        let Rules { most, most_bytes, .. } = self.rules;
        if length > most_bytes {
            let message = format!("keys of {length} bytes are more than the {most_bytes} that this server takes");
            return Err(Error::new(Code::TooLarge, message));
        }
        let id = capability::new()?;
        let key = capability::key(&id);
        let file = tempfile::Builder::new().prefix(UPLOAD.0).suffix(UPLOAD.1).tempfile_in(&self.folder)?;
        let upload = Arc::new(Upload {
            length,
            offset: AtomicU64::new(0),
            part: Arc::new(tokio::sync::Mutex::new(Some(Part { file, checker: Checker::new(length) }))),
            writer: Mutex::default(),
            touched: Mutex::new(Instant::now()),
        });
        {
            let mut table = self.table();
            let bytes: u64 = table.values().map(Held::bytes).sum();
            if table.len() >= most || bytes.saturating_add(length) > most_bytes {
                let message = "the server keeps as many keys as it can; delete some or try again later";
                return Err(Error::new(Code::TooBusy, message));
            }
            table.insert(key, Held::Upload(Arc::clone(&upload)));
        }
        self.watch_upload(key, &upload);
        Ok((id, upload))
    }

    /// What this id names. The answer is the same for an id that never was, was deleted, or has expired.
    pub(super) fn get(&self, id: &str) -> Result<Held> {
        self.table().get(&capability::key(id)).cloned().ok_or_else(not_found)
    }

    /// The keys of a set, to compute with.
    pub(super) fn loaded(&self, id: &str) -> Result<Arc<LoadedKeys>> {
        let Held::Set(set) = self.get(id)? else {
            return Err(Error::new(Code::KeysNotFound, "these keys are not all there yet; send the rest first"));
        };
        let key = capability::key(id);
        let mut loaded = locked(&self.loaded);
        let place = loaded.iter().position(|(known, _)| *known == key);
        let keys = match place.map(|place| loaded.remove(place)) {
            Some((_, keys)) => keys,
            None => Arc::new(LoadedKeys::new(
                Arc::clone(&set.keys),
                rings::shared(set.keys.head().parameters())?.0,
                LOADED.1,
            )?),
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

    /// How many bytes of an upload are there, and how many it has. Whoever was writing is ended first.
    pub(super) async fn offset(&self, id: &str) -> Result<(u64, u64)> {
        match self.get(id)? {
            Held::Set(set) => Ok((set.keys.bytes(), set.keys.bytes())),
            Held::Upload(upload) => {
                drop(upload.take_over().await);
                // It may have been the last piece, or a bad one.
                match self.get(id)? {
                    Held::Set(set) => Ok((set.keys.bytes(), set.keys.bytes())),
                    Held::Upload(upload) => Ok((upload.offset(), upload.length)),
                }
            }
        }
    }

    /// The right to write to an upload from this offset on, which must be where it ends.
    pub(super) async fn turn(&self, id: &str, offset: u64) -> Result<(CancellationToken, Turn)> {
        let whole = || Error::new(Code::WrongOffset, "these keys are all there; nothing more can be sent");
        let Held::Upload(upload) = self.get(id)? else { return Err(whole()) };
        let (token, part) = upload.take_over().await;
        let Held::Upload(upload) = self.get(id)? else { return Err(whole()) };
        let there = upload.offset();
        if offset != there {
            let message = format!("{there} bytes are there, and the next piece must begin where they end");
            return Err(Error::new(Code::WrongOffset, message));
        }
        upload.touch();
        Ok((token, Turn { key: capability::key(id), upload, part }))
    }

    /// Takes what comes into an upload. What came before the upload broke off stays; keys that are not good do not. Must run
    /// on a worker thread.
    pub(super) fn receive(self: &Arc<Self>, mut turn: Turn, reader: &mut dyn Read) -> Result<Held> {
        let outcome = self.receive_all(&mut turn, reader);
        turn.upload.touch();
        if outcome.as_ref().is_err_and(|fault| fault.fatal) {
            turn.part.take();
            self.remove(&turn.key, &turn.upload);
        }
        outcome.map_err(|fault| fault.error)
    }

    fn receive_all(self: &Arc<Self>, turn: &mut Turn, reader: &mut dyn Read) -> Result<Held, Fault> {
        let part = turn.part.as_mut().ok_or_else(not_found)?;
        let mut offset = turn.upload.offset();
        // What a failed write left behind is written over.
        part.file.seek(SeekFrom::Start(offset)).map_err(Error::from)?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let got = reader.read(&mut buffer).map_err(Error::from)?;
            if got == 0 {
                break;
            }
            part.file.write_all(&buffer[..got]).map_err(Error::from)?;
            part.checker.push(&buffer[..got]).map_err(Fault::fatal)?;
            offset += got as u64;
            turn.upload.offset.store(offset, Ordering::Release);
        }
        if offset < turn.upload.length {
            return Ok(Held::Upload(Arc::clone(&turn.upload)));
        }
        let part = turn.part.take().ok_or_else(not_found)?;
        self.finish(&turn.key, &turn.upload, part).map_err(Fault::fatal)
    }

    /// The upload becomes a set.
    fn finish(self: &Arc<Self>, key: &Key, upload: &Arc<Upload>, part: Part) -> Result<Held> {
        let head = part.checker.finish()?;
        let path = self.folder.join(format!("{}-{}{SET}", head.key(), hex(key)));
        part.file.as_file().sync_all()?;
        part.file.persist(&path).map_err(|error| Error::from(error.error))?;
        #[cfg(unix)]
        File::open(&self.folder)?.sync_all()?;
        let expires = SystemTime::now() + self.rules.keep;
        let keys = KeySet::open(&path).inspect_err(|_| drop(fs::remove_file(&path)))?;
        let set = Held::Set(Arc::new(Stored { keys: Arc::new(keys), expires, path: path.clone() }));
        {
            let mut table = self.table();
            // It may have been deleted in the meantime.
            if !table.get(key).is_some_and(|held| matches!(held, Held::Upload(known) if Arc::ptr_eq(known, upload))) {
                drop(table);
                fs::remove_file(&path)?;
                return Err(not_found());
            }
            table.insert(*key, set.clone());
        }
        self.watch_set(*key, expires);
        Ok(set)
    }

    /// Deletes a set, or ends an upload.
    pub(super) async fn delete(&self, id: &str) -> Result<()> {
        let key = capability::key(id);
        let held = self.table().remove(&key).ok_or_else(not_found)?;
        self.unload(&key);
        match held {
            Held::Set(set) => set.forget(),
            Held::Upload(upload) => {
                let (_, mut part) = upload.take_over().await;
                part.take();
                Ok(())
            }
        }
    }

    fn remove(&self, key: &Key, upload: &Arc<Upload>) {
        let mut table = self.table();
        if table.get(key).is_some_and(|held| matches!(held, Held::Upload(known) if Arc::ptr_eq(known, upload))) {
            table.remove(key);
        }
    }

    fn watch_set(self: &Arc<Self>, key: Key, expires: SystemTime) {
        let keys = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(expires.duration_since(SystemTime::now()).unwrap_or_default()).await;
            let Some(keys) = keys.upgrade() else { return };
            let Some(Held::Set(set)) = keys.table().remove(&key) else { return };
            keys.unload(&key);
            if let Err(error) = set.forget() {
                tracing::error!(reason = error.message(), "keys that expired could not be deleted");
            }
        });
    }

    fn watch_upload(self: &Arc<Self>, key: Key, upload: &Arc<Upload>) {
        let (keys, upload) = (Arc::downgrade(self), Arc::downgrade(upload));
        let rest = self.rules.rest;
        let mut until = Instant::now() + rest;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep_until(until).await;
                let Some((keys, upload)) = keys.upgrade().zip(upload.upgrade()) else { return };
                // Somebody who writes right now is not resting.
                if let Ok(mut part) = upload.part.try_lock() {
                    until = *locked(&upload.touched) + rest;
                    if until <= Instant::now() {
                        part.take();
                        keys.remove(&key, &upload);
                        return;
                    }
                } else {
                    until = Instant::now() + rest;
                }
            }
        });
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Held>> {
        locked(&self.table)
    }
}

/// An error while receiving, and whether it is the end of the upload.
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

/// The sets in a folder. Halves and sets whose time is over are deleted; what is not ours stays where it is.
fn find(folder: &Path, keep: Duration) -> Result<HashMap<Key, Held>> {
    let mut found = HashMap::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(UPLOAD.0) && name.ends_with(UPLOAD.1) {
            fs::remove_file(&path)?;
            continue;
        }
        let Some(key) = key_of(name) else { continue };
        let expires = entry.metadata()?.modified()? + keep;
        match KeySet::open(&path) {
            Ok(keys) if expires > SystemTime::now() => {
                found.insert(key, Held::Set(Arc::new(Stored { keys: Arc::new(keys), expires, path })));
            }
            Ok(keys) => {
                drop(keys);
                fs::remove_file(&path)?;
            }
            Err(error) => {
                tracing::warn!(reason = error.message(), "keys on disk that are not good are deleted");
                fs::remove_file(&path)?;
            }
        }
    }
    Ok(found)
}

/// The hash of the id in a set's name.
fn key_of(name: &str) -> Option<Key> {
    let (fingerprint, hash) = name.strip_suffix(SET)?.split_once('-')?;
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !digits(fingerprint, 32) || !digits(hash, 64) {
        return None;
    }
    let mut key = [0; 32];
    for (byte, place) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&hash[place..place + 2], 16).ok()?;
    }
    Some(key)
}

fn hex(key: &Key) -> String {
    use std::fmt::Write as _;
    key.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is whole at every moment, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_found() -> Error {
    Error::new(Code::KeysNotFound, "there are no such keys, or they were not good, were deleted or have expired")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_key_and_others_are_not_ours() {
        let key = capability::key("x");
        let fingerprint = "0123456789abcdef0123456789abcdef";
        assert_eq!(key_of(&format!("{fingerprint}-{}.keys", hex(&key))), Some(key));
        let hash = hex(&key);
        for other in [
            format!("{fingerprint}-{hash}"),
            format!("{hash}.keys"),
            format!("x-{hash}.keys"),
            format!("{fingerprint}-{}.keys", hash.to_uppercase()),
        ] {
            assert_eq!(key_of(&other), None, "{other}");
        }
    }
}
