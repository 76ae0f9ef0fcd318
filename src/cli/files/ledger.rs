//! Which files this run reads and writes, so that no file is both.
//!
//! Kept for the whole process rather than for each command: every input goes through [`names`] or [`reads`] and every output
//! through [`writes`], whatever the command and the flag. Files are compared by device and inode where there are such, so other
//! names of one file (symbolic and hard links, `./`) count as the same.

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
    /// Standard input, where it is a regular file.
    Stdin(Identity),
}

/// An output under way. It counts as one until this is dropped.
pub(super) struct Claim(PathBuf);

impl Drop for Claim {
    fn drop(&mut self) {
        let outputs = &mut files().outputs;
        if let Some(at) = outputs.iter().position(|output| *output == self.0) {
            outputs.swap_remove(at);
        }
    }
}

/// Notes an input.
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

/// Notes a file that is named as an input. It need not be there.
pub(super) fn names(path: &Path) {
    files().inputs.push(Input::File(path.to_owned()));
}

/// Notes all files in a folder as inputs.
///
/// # Errors
/// As [`reads`].
pub(in crate::cli) fn reads_folder(folder: &Path) -> Result<()> {
    // A folder that cannot be read is reported elsewhere.
    let Ok(entries) = folder.read_dir() else { return Ok(()) };
    entries.flatten().try_for_each(|entry| reads(&entry.path()))
}

/// Notes that standard input is read.
pub(super) fn reads_stdin() -> Result<()> {
    let Some(identity) = standard(&std::io::stdin()) else { return Ok(()) };
    let mut files = files();
    if files.outputs.iter().any(|output| Identity::of(output).as_ref() == Some(&identity)) {
        return Err(refusal(Path::new("standard input")));
    }
    files.inputs.push(Input::Stdin(identity));
    Ok(())
}

/// Notes an output whose path has its links resolved. `name` is the name that the user gave.
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

/// Whether two names lead to one file, which need not exist yet.
fn same(a: &Path, b: &Path) -> bool {
    match (Identity::of(a), Identity::of(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => place(a).is_some_and(|place_of_a| Some(place_of_a) == place(b)),
        _ => false,
    }
}

/// Where a file would be that does not exist.
fn place(path: &Path) -> Option<PathBuf> {
    if path.symlink_metadata().is_ok() {
        // A device, a folder: nothing is lost by writing there.
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// What tells regular files apart: device and inode.
#[cfg(unix)]
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

/// What tells regular files apart: nothing can be had without a path.
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

/// What a standard stream is, if it is a regular file.
#[cfg(unix)]
fn standard(stream: &impl std::os::fd::AsFd) -> Option<Identity> {
    let file = File::from(stream.as_fd().try_clone_to_owned().ok()?);
    Identity::from_metadata(&file.metadata().ok()?)
}

#[cfg(not(unix))]
fn standard<S>(_: &S) -> Option<Identity> {
    None
}
