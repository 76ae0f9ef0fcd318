//! The folder for keys: its owner and its content.
//!
//! The server that uses a folder holds a lock on a file in it. The system releases the lock when the process ends, however it
//! ends, so a folder whose lock is free is unused.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::super::capability::Key;
use crate::error::{Code, Error, Result};
use crate::math::hex::hex;
use crate::schemes::ckks::key_file::KeySet;
use crate::schemes::ckks::keys::KeyId;

/// The extension of sets.
const SET: &str = ".keys";
/// The prefix and extension of uploads.
const UPLOAD: (&str, &str) = ("upload-", ".part");
/// The lock file, held by the server that uses the folder.
const LOCK: &str = "lock";
/// The prefix of folders that vanish with their process.
const OWN: &str = "safelight-keys-";
/// A folder that is older than this and has no lock file was left behind by a process that ended before it could create
/// one.
const YOUNG: Duration = Duration::from_mins(10);
/// How many times to create a folder again if another server takes it for a leftover.
const TRIES: usize = 8;

/// A folder for keys that only this server uses.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
    /// The folder itself, if it vanishes with the process.
    _own: Option<TempDir>,
}

/// A set that was found.
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) expires: SystemTime,
    /// `None` for a damaged set, whose file is deleted.
    pub(super) set: Option<(KeySet, PathBuf)>,
}

impl Folder {
    /// Takes a folder, or creates one under `spool` that vanishes with the process. Deletes such folders if their
    /// processes are gone.
    pub(super) fn open(folder: Option<&Path>, spool: &Path) -> Result<Self> {
        if let Some(path) = folder {
            let lock = lock(path)?.ok_or_else(|| {
                let path = path.display();
                Error::new(
                    Code::BadArgument,
                    format!("the keys in {path} are in use by another server; use another folder"),
                )
            })?;
            return Ok(Self { path: path.to_owned(), _lock: lock, _own: None });
        }
        for _ in 0..TRIES {
            let own = TempDir::with_prefix_in(OWN, spool)?;
            // Another server that starts at this moment may have found it without a lock and deleted it.
            let Ok(Some(lock)) = lock(own.path()) else { continue };
            if !own.path().join(LOCK).exists() {
                continue;
            }
            collect(spool, own.path());
            return Ok(Self { path: own.path().to_owned(), _lock: lock, _own: Some(own) });
        }
        Err(Error::new(Code::Io, format!("cannot create a folder for keys in {}; use another one", spool.display())))
    }

    /// A file for an upload, which vanishes when dropped.
    pub(super) fn upload(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().prefix(UPLOAD.0).suffix(UPLOAD.1).tempfile_in(&self.path)
    }

    /// The path of a set.
    pub(super) fn place(&self, owner: KeyId, key: &Key) -> PathBuf {
        self.path.join(format!("{owner}-{}{SET}", hex(key)))
    }

    /// Makes sure that file names survive a power loss.
    pub(super) fn sync(&self) -> io::Result<()> {
        #[cfg(unix)]
        File::open(&self.path)?.sync_all()?;
        Ok(())
    }

    /// The sets in the folder. Partial and expired sets are deleted; other files stay.
    pub(super) fn find(&self, keep: Duration) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in self.path.read_dir()? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(UPLOAD.0) && name.ends_with(UPLOAD.1) {
                fs::remove_file(&path)?;
                continue;
            }
            let Some(key) = key_of(name) else { continue };
            let expires = entry.metadata()?.modified()? + keep;
            if expires <= SystemTime::now() {
                fs::remove_file(&path)?;
                continue;
            }
            let set = match KeySet::open(&path) {
                Ok(keys) => Some((keys, path)),
                Err(error) => {
                    tracing::error!(reason = error.message(), "deleting damaged keys on disk");
                    fs::remove_file(&path)?;
                    None
                }
            };
            found.push(Found { key, expires, set });
        }
        Ok(found)
    }
}

/// Takes the lock of a folder; `None` if another process has it.
fn lock(folder: &Path) -> Result<Option<File>> {
    let lock = File::create(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Deletes folders that other processes left behind. Folders that cannot be deleted stay.
fn collect(spool: &Path, own: &Path) {
    let Ok(entries) = spool.read_dir() else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let ours = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(OWN));
        if !ours || path == own {
            continue;
        }
        // Hold the lock until everything is deleted, so that no one takes the folder in the meantime.
        if let Ok(Some(_lock)) = left_behind(&path, own)
            && fs::remove_dir_all(&path).is_ok()
        {
            tracing::info!("deleted keys that another server left behind");
        }
    }
}

/// The lock of a folder of the same user whose process is gone, or the folder itself if it never had a lock.
fn left_behind(path: &Path, own: &Path) -> io::Result<Option<File>> {
    let (metadata, ours) = (path.symlink_metadata()?, own.metadata()?);
    if !metadata.is_dir() || !same_user(&metadata, &ours) {
        return Ok(None);
    }
    // Only this user can write to the folder, so the file that is opened is not another user's.
    match File::open(path.join(LOCK)) {
        Ok(lock) => Ok(lock.try_lock().is_ok().then_some(lock)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let old = metadata.modified()?.elapsed().is_ok_and(|age| age > YOUNG);
            if old { File::open(path).map(Some) } else { Ok(None) }
        }
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn same_user(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    one.uid() == other.uid() && one.mode() & 0o022 == 0
}

#[cfg(not(unix))]
fn same_user(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
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

#[cfg(test)]
mod tests {
    use super::super::super::capability::Id;
    use super::*;

    #[test]
    fn names_tell_the_key_and_others_are_not_ours() {
        let key = Id::from("x".to_owned()).key();
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

    #[test]
    fn folders_of_processes_that_are_gone_are_collected_and_no_others() {
        let spool = tempfile::tempdir().expect("a folder");
        let alive = Folder::open(None, spool.path()).expect("a folder");
        let place = |name: &str| spool.path().join(name);
        for name in ["safelight-keys-dead", "safelight-keys-new", "somebody-elses"] {
            fs::create_dir(place(name)).expect("made");
        }
        // No one holds the lock of a process that is gone.
        fs::write(place("safelight-keys-dead").join(LOCK), b"").expect("written");
        fs::write(place("safelight-keys-dead").join("x.keys"), b"left").expect("written");
        fs::write(place("somebody-elses").join(LOCK), b"").expect("written");
        let second = Folder::open(None, spool.path()).expect("a folder");
        assert!(!place("safelight-keys-dead").exists());
        assert!(place("safelight-keys-new").exists(), "its process may be about to lock it");
        assert!(place("somebody-elses").exists());
        assert!(alive.path.exists() && second.path.exists());
    }
}
