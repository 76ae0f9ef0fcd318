//! Outputs, which get their names only when they are complete.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::ledger::{self, Claim};
use super::part::Part;
use super::{about, reason};
use crate::cli::picture::{self, PictureKind};
use crate::error::{Code, Error, Result};
use crate::wire::{self, PROLOGUE_BYTES, Prologue};

/// The most symbolic links followed in a row; operating systems have such a limit, too.
const MAX_LINKS: usize = 40;

/// How an output is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Care {
    /// Readable only by its owner, never overwrites another file, and is on the disk before it gets its name.
    Secret,
    /// Bytes; an older file of this name is replaced.
    Binary,
    /// A picture, treated like [`Self::Binary`]. Only pictures may have the extension of a picture.
    Picture,
    /// Text, which may also go to a terminal.
    Text,
}

/// An output that appears under its name only when [`Sink::finish`] is called; otherwise it vanishes.
pub(in crate::cli) struct Sink {
    target: Target,
    _claim: Option<Claim>,
}

enum Target {
    /// A file beside the one to be written.
    Replace { part: Part, path: PathBuf, care: Care, older: Option<Older> },
    /// A file that is overwritten in place, because it cannot be replaced, once the output is complete.
    Overwrite { whole: File, older: Older, path: PathBuf },
    /// An unnamed file, so that a program behind a pipe sees a whole result or none.
    Stdout(File),
    /// A device or a pipe, such as `/dev/null` and `/dev/stdout`, which cannot be replaced.
    Device(File, PathBuf),
}

/// A file that an output replaces.
struct Older {
    /// Open for writing, but not written yet.
    file: File,
    data: fs::Metadata,
}

impl Sink {
    /// Starts an output. Checks everything that could prevent it now, before any work is done.
    pub(in crate::cli) fn create(name: &OsStr, care: Care) -> Result<Self> {
        if name == "-" {
            return Self::to_stdout(care);
        }
        let name = Path::new(name);
        if let Some(device) = device(name, care) {
            return device;
        }
        let path = followed(name)?;
        let claim = ledger::writes(&path, name)?;
        if care == Care::Secret && name.symlink_metadata().is_ok() {
            return Err(exists(name));
        }
        if care != Care::Picture {
            picture::check_no_picture(name)?;
        }
        let target = match fs::metadata(&path) {
            Ok(data) if data.is_dir() => {
                return Err(is_folder(name));
            }
            Ok(_) if holds_secret_key(&path) => {
                return Err(Error::new(
                    Code::FileExists,
                    format!("{} is a secret key and is not overwritten; choose another name", name.display()),
                ));
            }
            Ok(data) => {
                let file = File::options().write(true).open(&path).map_err(|error| about(name, "write", &error))?;
                Older { file, data }.target(path, care)?
            }
            Err(_) if name.as_os_str().as_encoded_bytes().ends_with(b"/") => return Err(is_folder(name)),
            Err(_) => {
                let folder = folder_of(&path);
                let part =
                    Part::create(folder, care == Care::Secret).map_err(|error| in_folder(name, folder, &error))?;
                Target::Replace { part, path, care, older: None }
            }
        };
        Ok(Self { target, _claim: Some(claim) })
    }

    /// Starts a picture, of the kind that its name indicates.
    ///
    /// # Errors
    /// As [`Sink::create`] and [`PictureKind::of`].
    pub(in crate::cli) fn picture(name: &OsStr) -> Result<(Self, PictureKind)> {
        let sink = Self::create(name, Care::Picture)?;
        Ok((sink, PictureKind::of(name)?))
    }

    /// Starts a scrambled picture, of the kind that its name indicates.
    ///
    /// # Errors
    /// As [`Sink::picture`].
    #[cfg(feature = "client")]
    pub(in crate::cli) fn scrambled(name: &OsStr) -> Result<(Self, PictureKind)> {
        let sink = Self::create(name, Care::Picture)?;
        Ok((sink, PictureKind::of_scrambled(name)?))
    }

    fn to_stdout(care: Care) -> Result<Self> {
        if care != Care::Text && io::stdout().is_terminal() {
            return Err(Error::new(
                Code::BadArgument,
                "standard output is a terminal, which cannot show binary data; name a file or use > or |",
            ));
        }
        ledger::writes_stdout()?;
        Ok(Self { target: Target::Stdout(tempfile::tempfile()?), _claim: None })
    }

    /// Gives the output its name, or passes it on to standard output.
    pub(in crate::cli) fn finish(self) -> Result<()> {
        match self.target {
            Target::Replace { part, path, care: Care::Secret, .. } => {
                part.file.as_file().sync_all().map_err(|error| about(&path, "write", &error))?;
                part.file.persist_noclobber(&path).map_err(|failed| match failed.error.kind() {
                    io::ErrorKind::AlreadyExists => exists(&path),
                    _ => about(&path, "write", &failed.error),
                })?;
                Ok(())
            }
            Target::Replace { part, path, older: None, .. } => {
                part.file.persist(&path).map_err(|failed| about(&path, "write", &failed.error))?;
                Ok(())
            }
            Target::Replace { part, path, older: Some(older), .. } => {
                older.lend_permissions(part.file.as_file()).map_err(|error| about(&path, "write", &error))?;
                match part.file.persist(&path) {
                    Ok(_) => Ok(()),
                    // Files in this folder cannot be renamed, or the old file is a mount point.
                    Err(mut failed) => older.overwrite(failed.file.as_file_mut(), &path),
                }
            }
            Target::Overwrite { mut whole, older, path } => older.overwrite(&mut whole, &path),
            Target::Stdout(mut file) => {
                file.seek(SeekFrom::Start(0))?;
                let mut out = io::stdout().lock();
                io::copy(&mut file, &mut out)
                    .and_then(|_| out.flush())
                    .map_err(|error| Error::new(Code::Io, format!("cannot write to standard output: {error}")))
            }
            Target::Device(file, path) => (&file).flush().map_err(|error| about(&path, "write", &error)),
        }
    }

    /// Writes all of `bytes` and finishes.
    pub(in crate::cli) fn write_whole(mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes)?;
        self.finish()
    }

    /// The output written so far, from its start; `None` for a device.
    pub(in crate::cli) fn reread(&mut self) -> Result<Option<&mut File>> {
        let file = match &mut self.target {
            Target::Replace { part, .. } => part.file.as_file_mut(),
            Target::Overwrite { whole, .. } => whole,
            Target::Stdout(file) => file,
            Target::Device(..) => return Ok(None),
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(Some(file))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (file, path) = match &mut self.target {
            Target::Replace { part, path, .. } => (part.file.as_file_mut(), &**path),
            Target::Overwrite { whole, path, .. } => (whole, &**path),
            Target::Stdout(file) => (file, Path::new("standard output")),
            Target::Device(file, path) => (file, &**path),
        };
        // Name the file, so that the user sees which disk is full.
        file.write(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => about(path, "write", &error).into(),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Older {
    /// How this file is replaced: by another with its owner and permissions, or else by writing into it.
    fn target(self, path: PathBuf, care: Care) -> Result<Target> {
        if !self.has_other_names()
            // The content of a private file must be private from the start.
            && let Ok(part) = Part::create(folder_of(&path), true)
            && self.lend_owner(part.file.as_file()).is_ok()
        {
            return Ok(Target::Replace { part, path, care, older: Some(self) });
        }
        Ok(Target::Overwrite { whole: tempfile::tempfile()?, older: self, path })
    }

    /// Writes the whole output into this file.
    fn overwrite(mut self, whole: &mut File, path: &Path) -> Result<()> {
        whole.seek(SeekFrom::Start(0))?;
        let written = io::copy(whole, &mut self.file).and_then(|length| self.file.set_len(length));
        written.map_err(|error| {
            let path = path.display();
            let message = format!("cannot write all of {path}, which is now incomplete: {error}; try again");
            Error::new(Code::Io, message)
        })
    }

    #[cfg(unix)]
    fn has_other_names(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        self.data.nlink() > 1
    }

    #[cfg(unix)]
    fn lend_owner(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        let (own, data) = (file.metadata()?, &self.data);
        let wanted = |own: u32, old: u32| (own != old).then_some(old);
        match (wanted(own.uid(), data.uid()), wanted(own.gid(), data.gid())) {
            (None, None) => Ok(()),
            (user, group) => std::os::unix::fs::fchown(file, user, group),
        }
    }

    /// Copies only the permissions to read, write and execute. The system drops the others, too, when another user
    /// writes a file.
    #[cfg(unix)]
    fn lend_permissions(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(self.data.permissions().mode() & 0o777))
    }

    #[cfg(not(unix))]
    fn has_other_names(&self) -> bool {
        false
    }

    #[cfg(not(unix))]
    fn lend_owner(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    #[cfg(not(unix))]
    fn lend_permissions(&self, file: &File) -> io::Result<()> {
        file.set_permissions(self.data.permissions())
    }
}

/// An output to something that exists and is neither a file nor a folder: it is written directly. Links to it are not
/// followed one by one, because the links of open pipes lead to no path.
fn device(name: &Path, care: Care) -> Option<Result<Sink>> {
    fs::metadata(name).ok().filter(|data| !data.is_file() && !data.is_dir())?;
    // Write a new secret only where the user sends it on purpose, never through a link that someone else may have
    // created.
    if care == Care::Secret && !name.starts_with("/dev") && !name.starts_with("/proc/self/fd") {
        return Some(Err(exists(name)));
    }
    let file = File::options().write(true).open(name).map_err(|error| about(name, "open", &error));
    Some(file.map(|file| Sink { target: Target::Device(file, name.to_owned()), _claim: None }))
}

/// The file that a name leads to after all links are followed. It may not exist yet.
fn followed(name: &Path) -> Result<PathBuf> {
    let mut path = name.to_owned();
    for _ in 0..MAX_LINKS {
        if !path.is_symlink() {
            return Ok(path);
        }
        let target = path.read_link().map_err(|error| about(name, "follow", &error))?;
        path = folder_of(&path).join(target);
    }
    Err(Error::new(Code::Io, format!("cannot follow {}: too many symbolic links", name.display())))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_folder(name: &Path) -> Error {
    Error::new(Code::Io, format!("{} is a folder; name a file", name.display()))
}

/// The error for a folder in which no file can be created.
fn in_folder(name: &Path, folder: &Path, error: &io::Error) -> Error {
    let (name, folder) = (name.display(), folder.display());
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("cannot write {name}: there is no folder {folder}; make it first"),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("cannot write {name}: cannot create a file in the folder {folder}: {}", reason(error))
        }
        _ => format!("cannot write {name}: {}", reason(error)),
    };
    Error::new(Code::Io, message)
}

/// Whether this is a secret key file, protected or not.
fn holds_secret_key(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(wire::AGE_START as u64).read_to_end(&mut start));
    let secret = || Prologue::parse(&start[..start.len().min(PROLOGUE_BYTES)]).is_ok_and(|it| it.kind.is_secret());
    read.is_ok() && (wire::is_age(&start) || secret())
}

fn exists(path: &Path) -> Error {
    Error::new(
        Code::FileExists,
        format!("{} already exists, and keys are never overwritten; choose another name", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_appears_only_when_finished() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("out");
        let mut sink = Sink::create(path.as_os_str(), Care::Binary).expect("sink");
        sink.write_all(b"half").expect("write");
        drop(sink);
        assert_eq!(folder.path().read_dir().expect("folder").count(), 0);

        Sink::create(path.as_os_str(), Care::Binary).expect("sink").write_whole(b"whole").expect("write");
        assert_eq!(fs::read(&path).expect("file"), b"whole");
        Sink::create(path.as_os_str(), Care::Binary).expect("sink").write_whole(b"new").expect("write");
        assert_eq!(fs::read(&path).expect("file"), b"new");
        assert_eq!(Sink::create(path.as_os_str(), Care::Secret).err().map(|e| e.kind()), Some(Code::FileExists));
    }

    #[test]
    fn a_secret_that_appears_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("key");
        let sink = Sink::create(path.as_os_str(), Care::Secret).expect("sink");
        fs::write(&path, b"another").expect("write");
        assert_eq!(sink.write_whole(b"mine").expect_err("exists").kind(), Code::FileExists);
        assert_eq!(fs::read(&path).expect("file"), b"another");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_pointing_and_a_device_stays() {
        let folder = tempfile::tempdir().expect("folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, b"old").expect("write");
        std::os::unix::fs::symlink(&file, &link).expect("link");
        Sink::create(link.as_os_str(), Care::Binary).expect("sink").write_whole(b"new").expect("write");
        assert_eq!(fs::read(&file).expect("file"), b"new");
        assert!(link.is_symlink());
        Sink::create(OsStr::new("/dev/null"), Care::Binary).expect("sink").write_whole(b"new").expect("write");
    }
}
