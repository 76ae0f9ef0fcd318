//! A set of evaluation keys in a file: they take gigabytes, and few are needed at a time.
//!
//! A switch key is loaded on demand: its limbs are checked and its second halves expanded from its seed. The most recently used
//! keys stay in memory, up to a number of bytes. The file is not mapped into memory: truncating a mapped file would crash the
//! process, where a read returns an error.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::{Code, Error, Result};
use crate::read_at::read_exact_at;
use crate::schemes::ckks::keys::{EvaluationKeys, SwitchKey};
use crate::schemes::ckks::ring::Ring;
use crate::schemes::ckks::wire::{Checker, Entry, SetHead, gather, read_switch};
use crate::wire::{PROLOGUE_BYTES, Prologue};

/// The number of bytes that are read at a time when a set is verified.
const VERIFIED_AT_ONCE: usize = 256 << 10;

/// A set of evaluation keys in a file.
pub struct KeySet {
    head: SetHead,
    ranges: Vec<Range<u64>>,
    file: File,
    bytes: u64,
}

impl KeySet {
    /// Opens a file. The set's header is read and compared with the file's length; each key is checked when it is loaded.
    ///
    /// # Errors
    /// [`Code::Io`]; as [`SetHead::read`]; [`Code::Truncated`], [`Code::TrailingData`].
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let start = |count: usize| {
            let mut start = vec![0; usize::try_from(bytes).map_or(count, |bytes| bytes.min(count))];
            read_exact_at(&file, &mut start, 0).map(|()| start)
        };
        let prologue = Prologue::parse(&start(PROLOGUE_BYTES)?)?;
        let head = SetHead::read(&start(prologue.total_bytes())?)?;
        match bytes.cmp(&head.total_bytes()?) {
            std::cmp::Ordering::Less => {
                Err(Error::new(Code::Truncated, "the keys are cut short; get the whole file again"))
            }
            std::cmp::Ordering::Greater => {
                Err(Error::new(Code::TrailingData, "there is extra data after the last key"))
            }
            std::cmp::Ordering::Equal => Ok(Self { ranges: head.ranges()?, head, file, bytes }),
        }
    }

    /// The set's owner, parameters and list of keys.
    #[must_use]
    pub const fn head(&self) -> &SetHead {
        &self.head
    }

    /// The file's length in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file's current length and time of modification, which differ from before if it was changed.
    ///
    /// # Errors
    /// [`Code::Io`].
    pub fn stamp(&self) -> Result<(u64, SystemTime)> {
        let metadata = self.file.metadata()?;
        Ok((metadata.len(), metadata.modified()?))
    }

    /// Reads all of the file and checks every key.
    ///
    /// # Errors
    /// As [`Checker`], and [`Code::Io`].
    pub fn verify(&self) -> Result<()> {
        let (mut checker, mut at) = (Checker::new(self.bytes), 0);
        let mut piece = vec![0; VERIFIED_AT_ONCE];
        while at < self.bytes {
            let length = usize::try_from(self.bytes - at).map_or(piece.len(), |rest| rest.min(piece.len()));
            read_exact_at(&self.file, &mut piece[..length], at)?;
            checker.push(&piece[..length])?;
            at += length as u64;
        }
        checker.finish().map(drop)
    }

    /// Reads a key, if it is in the list.
    ///
    /// # Errors
    /// As [`read_switch`], and [`Code::Damaged`] if the key in the file is not the listed one; [`Code::Truncated`] if the file
    /// has become shorter; [`Code::Io`].
    pub fn load(&self, ring: &Ring, entry: Entry) -> Result<Option<SwitchKey>> {
        let Ok(place) = self.head.entries().binary_search(&entry) else { return Ok(None) };
        let Range { start, end } = self.ranges[place];
        let mut bytes = vec![0; usize::try_from(end - start).map_err(|_| no_room())?];
        read_exact_at(&self.file, &mut bytes, start)?;
        let (head, switch) = read_switch(ring, &bytes)?;
        if (head.key, head.entry) != (self.head.key(), entry) {
            return Err(Error::new(Code::Damaged, "the key in the file is not the listed one"));
        }
        Ok(Some(switch))
    }
}

/// The most recently used keys of a set, in memory.
pub struct LoadedKeys {
    set: Arc<KeySet>,
    ring: Arc<Ring>,
    most_bytes: usize,
    /// The most recently used key is last.
    loaded: Mutex<Vec<(Entry, Arc<SwitchKey>)>>,
}

impl LoadedKeys {
    /// An empty cache, which never holds more than `most_bytes` bytes in total, except for the latest key.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of other parameters.
    pub fn new(set: Arc<KeySet>, ring: Arc<Ring>, most_bytes: usize) -> Result<Self> {
        if ring.parameters().id != set.head.parameters().id {
            let (theirs, ours) = (set.head.parameters().name, ring.parameters().name);
            let message = format!("the keys are for the parameter set {theirs}, but {ours} is in use");
            return Err(Error::new(Code::WrongParameters, message));
        }
        Ok(Self { set, ring, most_bytes, loaded: Mutex::default() })
    }

    /// The set.
    #[must_use]
    pub fn set(&self) -> &KeySet {
        &self.set
    }

    /// A key, if it is in the list. Loads it if it is not in memory.
    ///
    /// # Errors
    /// As [`KeySet::load`].
    pub fn get(&self, entry: Entry) -> Result<Option<Arc<SwitchKey>>> {
        if let Some(key) = self.known(entry) {
            return Ok(Some(key));
        }
        // Without the lock, so that others can go on. Loading a key twice does no harm.
        let Some(key) = self.set.load(&self.ring, entry)?.map(Arc::new) else { return Ok(None) };
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.retain(|(known, _)| *known != entry);
        loaded.push((entry, Arc::clone(&key)));
        let mut bytes: usize = loaded.iter().map(|(_, key)| memory(key)).sum();
        while bytes > self.most_bytes && loaded.len() > 1 {
            bytes -= memory(&loaded.remove(0).1);
        }
        Ok(Some(key))
    }

    /// The keys of several entries, for a part of the work.
    ///
    /// # Errors
    /// As [`KeySet::load`], and [`Code::MissingKey`] if one is not in the set.
    pub fn take(&self, entries: &[Entry]) -> Result<EvaluationKeys> {
        let keys = entries.iter().map(|&entry| {
            let key = self.get(entry)?.ok_or_else(|| {
                let message = format!("there is no {entry:?} in the set; the key's owner must make one");
                Error::new(Code::MissingKey, message)
            })?;
            Ok((entry.purpose, key))
        });
        gather(self.set.head.key(), keys)
    }

    fn known(&self, entry: Entry) -> Option<Arc<SwitchKey>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let place = loaded.iter().position(|(known, _)| *known == entry)?;
        let used = loaded.remove(place);
        let key = Arc::clone(&used.1);
        loaded.push(used);
        Some(key)
    }
}

/// The memory that a key takes, in bytes: both halves of each digit, in words.
fn memory(key: &SwitchKey) -> usize {
    2 * key.b().iter().map(|b| size_of_val(b.words())).sum::<usize>()
}

fn no_room() -> Error {
    Error::new(Code::TooLarge, "too large for this machine's memory")
}
