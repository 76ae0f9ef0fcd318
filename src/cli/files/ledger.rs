//! Which files this run reads and writes, so that no file is both.
//!
//! The record is kept for the whole process rather than for each command: every input goes through [`names`] or
//! [`reads`] and every output through [`writes`], regardless of the command and the flag. Files are compared by device
//! and inode where these exist, so other names of one file (symbolic and hard links, `./`) count as the same.

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Code, Error, Result};

static FILES: Mutex<Files> = Mutex::new(Files { inputs: Vec::new(), outputs: Vec::new() });

struct Files {
    inputs: Vec<Input>,
    /// Outputs that are not finished yet.
    outputs: Vec<PathBuf>,
}

enum Input {
    File(PathBuf),
    /// Standard input, if it is a regular file.
    Stdin(Identity),
}

/// An unfinished output. Its file counts as an output until this is dropped.
pub(super) struct Claim(PathBuf);

impl Drop for Claim {
    fn drop(&mut self) {
        let outputs = &mut files().outputs;
        if let Some(at) = outputs.iter().position(|output| *output == self.0) {
            outputs.swap_remove(at);
        }
    }
}

/// Records an input.
///
/// # Errors
/// [`Code::FileExists`] if an output of this run would replace it.
pub(in crate::cli) fn reads(path: &Path) -> Result<()> {
    let mut files = files();
    if files.outputs.iter().any(|output| same(output, path)) {
        return Err(refusal(path));
    }
    files.inputs.push(Input::File(path.to_owned()));
    Ok(())
}

/// Records a file that is named as an input. It does not have to exist.
pub(super) fn names(path: &Path) {
    files().inputs.push(Input::File(path.to_owned()));
}

/// Records all files in a folder as inputs.
///
/// # Errors
/// As [`reads`].
pub(in crate::cli) fn reads_folder(folder: &Path) -> Result<()> {
    // A folder that cannot be read is reported elsewhere.
    let Ok(entries) = folder.read_dir() else { return Ok(()) };
    entries.flatten().try_for_each(|entry| reads(&entry.path()))
}

/// Records that standard input is read.
pub(super) fn reads_stdin() -> Result<()> {
    let Some(identity) = standard(&std::io::stdin()) else { return Ok(()) };
    let mut files = files();
    if files.outputs.iter().any(|output| Identity::of(output).as_ref() == Some(&identity)) {
        return Err(refusal(Path::new("standard input")));
    }
    files.inputs.push(Input::Stdin(identity));
    Ok(())
}

/// Records an output. `path` has its links resolved; `name` is the name that the user gave.
///
/// # Errors
/// [`Code::FileExists`] if it is an input of this run, [`Code::BadArgument`] if another output has the same name.
pub(super) fn writes(path: &Path, name: &Path) -> Result<Claim> {
    let mut files = files();
    let identity = Identity::of(path);
    let is_input = files.inputs.iter().any(|input| match input {
        Input::File(input) => same(input, path),
        Input::Stdin(input) => identity.as_ref() == Some(input),
    });
    if is_input {
        return Err(refusal(name));
    }
    if files.outputs.iter().any(|output| same(output, path)) {
        let message = format!("{} is used for two outputs; give each its own name", name.display());
        return Err(Error::new(Code::BadArgument, message));
    }
    files.outputs.push(path.to_owned());
    Ok(Claim(path.to_owned()))
}

/// Fails if standard output is a file that this run reads.
pub(super) fn writes_stdout() -> Result<()> {
    let Some(identity) = standard(&std::io::stdout()) else { return Ok(()) };
    let is_input = files().inputs.iter().any(|input| match input {
        Input::File(input) => Identity::of(input).as_ref() == Some(&identity),
        Input::Stdin(input) => *input == identity,
    });
    if is_input { Err(refusal(Path::new("standard output"))) } else { Ok(()) }
}

fn files() -> MutexGuard<'static, Files> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refusal(name: &Path) -> Error {
    let message = format!("{} is also an input and is not overwritten; choose another output name", name.display());
    Error::new(Code::FileExists, message)
}

/// Whether two names lead to the same file, which may not exist yet.
fn same(a: &Path, b: &Path) -> bool {
    match (Identity::of(a), Identity::of(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => place(a).is_some_and(|place_of_a| Some(place_of_a) == place(b)),
        _ => false,
    }
}

/// The path at which a file would be created that does not exist yet.
fn place(path: &Path) -> Option<PathBuf> {
    if path.symlink_metadata().is_ok() {
        // A device or a folder: nothing is lost by writing there.
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// Identifies a regular file, by device and inode.
#[cfg(unix)]
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

/// Identifies a regular file, by its path because nothing else is available.
#[cfg(not(unix))]
#[derive(Clone, PartialEq, Eq)]
struct Identity(PathBuf);

impl Identity {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        Self::from_metadata(&fs::metadata(path).ok()?)
    }

    #[cfg(unix)]
    fn from_metadata(data: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        data.is_file().then(|| Self(data.dev(), data.ino()))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().filter(Metadata::is_file)?;
        path.canonicalize().ok().map(Self)
    }
}

/// The identity of a standard stream, if it is a regular file.
#[cfg(unix)]
fn standard(stream: &impl std::os::fd::AsFd) -> Option<Identity> {
    let file = File::from(stream.as_fd().try_clone_to_owned().ok()?);
    Identity::from_metadata(&file.metadata().ok()?)
}

#[cfg(not(unix))]
fn standard<S>(_: &S) -> Option<Identity> {
    None
}
