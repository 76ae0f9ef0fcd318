//! Files under a temporary name, beside the file that they will become.
//!
//! A part is locked while its program runs. If the program is killed, the lock is released and the part stays; the next run
//! that writes to the folder removes it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::cli::interrupt;

const PREFIX: &str = ".safelight-";
const SUFFIX: &str = ".part";
/// The number of random characters between the prefix and the suffix.
const CHOICE: usize = 6;
/// How many times to create a part again if another run removes it before it is locked.
const TRIES: usize = 16;

/// The parts of this process.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A file under a temporary name. It vanishes when dropped, and when a signal ends the program.
pub(super) struct Part {
    pub(super) file: NamedTempFile,
    _live: Live,
}

struct Live(PathBuf);

impl Drop for Live {
    fn drop(&mut self) {
        live().retain(|path| *path != self.0);
    }
}

impl Part {
    /// Creates a part in a folder, readable only by its owner if `private`, otherwise as the umask allows. Removes the
    /// parts that earlier runs left behind.
    pub(super) fn create(folder: &Path, private: bool) -> io::Result<Self> {
        interrupt::install();
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(CHOICE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(if private { 0o600 } else { 0o666 }));
        }
        #[cfg(not(unix))]
        let _ = private;
        let mut tries = 0;
        let part = loop {
            tries += 1;
            let file = builder.tempfile_in(folder)?;
            let part = Self { _live: Live::new(file.path()), file };
            // Until the file is locked, it looks like a left-over to another run.
            let held = match part.file.as_file().try_lock() {
                Ok(()) => is_named(part.file.as_file()),
                Err(fs::TryLockError::WouldBlock) => false,
                // Where locks do not work, other runs remove nothing either.
                Err(fs::TryLockError::Error(_)) => true,
            };
            if held || tries == TRIES {
                break part;
            }
        };
        clear_up(folder, part.file.as_file());
        Ok(part)
    }
}

impl Live {
    fn new(path: &Path) -> Self {
        live().push(path.to_owned());
        Self(path.to_owned())
    }
}

/// Removes all parts of this process, which is about to end.
pub(in crate::cli) fn remove_all() {
    for path in live().drain(..) {
        // The process is ending, so an error cannot be reported.
        let _ = fs::remove_file(path);
    }
}

fn live() -> MutexGuard<'static, Vec<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the parts of runs that were killed. A part that cannot be removed stays and does no harm.
fn clear_up(folder: &Path, own: &File) {
    let Ok(entries) = folder.read_dir() else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_parts_name)
            && let Some(_locked) = left_over(&entry.path(), own)
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_parts_name(name: &str) -> bool {
    let choice = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    choice.is_some_and(|choice| choice.len() == CHOICE && choice.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Opens and locks a part of this user that no process holds.
fn left_over(path: &Path, own: &File) -> Option<File> {
    let ours = |data: &fs::Metadata| data.is_file() && same_owner(data, own);
    path.symlink_metadata().ok().filter(ours)?;
    let file = File::options().read(true).write(true).open(path).ok()?;
    file.try_lock().ok()?;
    // The run that created it may have finished normally in the meantime.
    (file.metadata().is_ok_and(|data| ours(&data)) && is_named(&file)).then_some(file)
}

#[cfg(unix)]
fn same_owner(data: &fs::Metadata, own: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    own.metadata().is_ok_and(|own| own.uid() == data.uid())
}

#[cfg(not(unix))]
fn same_owner(_: &fs::Metadata, _: &File) -> bool {
    true
}

/// Whether an open file still has a name.
#[cfg(unix)]
fn is_named(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().is_ok_and(|data| data.nlink() > 0)
}

#[cfg(not(unix))]
fn is_named(_: &File) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_parts_are_parts() {
        assert!(is_parts_name(".safelight-a1B2c3.part"));
        for name in
            [".safelight-.part", ".safelight-a1B2c.part", ".safelight-a1B2c3d.part", "x.part", ".safelight-a/B2c3.part"]
        {
            assert!(!is_parts_name(name), "{name}");
        }
    }

    #[test]
    fn what_killed_runs_left_goes_and_what_runs_hold_stays() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path(".safelight-killed.part"), b"half").expect("write");
        fs::write(path(".safelight-another.part"), b"a file of somebody's").expect("write");
        let held = Part::create(folder.path(), false).expect("a part");
        assert!(!path(".safelight-killed.part").exists());
        let other = Part::create(folder.path(), true).expect("a part");
        assert!(held.file.path().exists() && other.file.path().exists());
        assert!(path(".safelight-another.part").exists());
        let paths = [held.file.path().to_owned(), other.file.path().to_owned()];
        drop((held, other));
        assert!(paths.iter().all(|path| !path.exists()));
    }
}
