//! Colour profiles, kept on this machine: a photo's profile is never sent, so `encrypt` and `etc encrypt` store it in a local
//! folder, where `decrypt` and `etc decrypt` find it again.
//!
//! The folder is `colours` in `SAFELIGHT_HOME`, or where programs keep their data (`XDG_DATA_HOME`, `~/.local/share`). A file
//! in `photos` is named after the random number that travels with the photo, and says which file of `profiles` has its
//! profile, or that there is none, so that `decrypt` knows whether it lacks one. The folder holds nothing else about a photo.
//! Deleting it loses only the colours of results that have not been decrypted yet. Files older than [`KEPT_DAYS`] are deleted.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use sha2::{Digest as _, Sha256};

use super::ui::Ui;
use crate::error::{Code, Error, Result};
use crate::math::hex::hex;
use crate::photo::Colour;
use crate::photo::colour::MAX_PROFILE;
use crate::schemes::etc::Nonce;
use crate::schemes::paillier::origin::Origin;

/// How long the colours of a photo are kept.
const KEPT_DAYS: u32 = 400;
/// Written in the file of a photo in sRGB, in place of the name of a profile.
const NO_PROFILE: &str = "srgb";
const DAY: Duration = Duration::from_hours(24);

/// How a photo's colours are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Wanted {
    /// The samples stay as they are, and the colour profile stays on this machine.
    Keep,
    /// The samples are converted to sRGB.
    Srgb,
}

/// The random number that a photo's encrypted or scrambled form carries for its owner.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    Encrypted(Origin),
    Scrambled(Nonce),
}

impl Mark {
    /// The name of the photo's file, a hash: the number itself is not stored.
    fn name(self) -> String {
        match self {
            Self::Encrypted(Origin(number)) => hash(&[b"encrypted", number.as_slice()]),
            Self::Scrambled(Nonce(number)) => hash(&[b"scrambled", number.as_slice()]),
        }
    }
}

/// Stores a photo's colours and shows a note that says so, or a note about what to do instead.
pub(super) fn keep(mark: Mark, colour: &Colour, ui: &Ui) {
    match Store::find().and_then(|store| store.keep(mark, colour).map(|()| store)) {
        _ if *colour == Colour::Srgb => {}
        Ok(store) => ui.note(&format!(
            "the photo's colour profile stays on this machine, in {}, and goes into the decrypted picture; to decrypt \
             elsewhere, use --original there, or --colour srgb here",
            store.0.display()
        )),
        Err(error) => ui.note(&format!(
            "the photo's colour profile could not be kept ({}); use --original when you decrypt, or --colour srgb now",
            error.message()
        )),
    }
}

/// The colours of a photo, if they were kept on this machine. If they were not and `original` is false, shows a note
/// about what to do.
pub(super) fn find(mark: Mark, original: bool, ui: &Ui) -> Option<Colour> {
    let found = Store::find().and_then(|store| store.read(mark));
    let reason = match found {
        Ok(Some(colour)) => return Some(colour),
        Ok(None) => "is not on this machine".to_owned(),
        Err(error) => format!("cannot be read: {}", error.message()),
    };
    if !original {
        ui.note(&format!(
            "what is known of the photo's colours {reason}; they are taken for sRGB. If the photo has a colour profile, use \
             --original"
        ));
    }
    None
}

/// The folder `colours`.
struct Store(PathBuf);

impl Store {
    /// Finds the path of the folder, which may not exist yet.
    fn find() -> Result<Self> {
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data = || folder("XDG_DATA_HOME").or_else(|| folder("LOCALAPPDATA").filter(|_| cfg!(windows)));
        let home = || folder("HOME").map(|home| home.join(".local").join("share"));
        let ours = folder("SAFELIGHT_HOME").or_else(|| Some(data().or_else(home)?.join("safelight")));
        ours.map(|ours| Self(ours.join("colours")))
            .ok_or_else(|| Error::new(Code::Io, "no data folder found; set SAFELIGHT_HOME to the path of one"))
    }

    fn keep(&self, mark: Mark, colour: &Colour) -> Result<()> {
        let (photos, profiles) = (self.0.join("photos"), self.0.join("profiles"));
        for folder in [&photos, &profiles] {
            create_folder(folder).map_err(|error| about(folder, &error))?;
        }
        let name = if *colour == Colour::Srgb {
            NO_PROFILE.to_owned()
        } else {
            // Write the profile first, then the file that names it.
            let profile = colour.to_bytes();
            let name = hash(&[&profile]);
            write(&profiles, &name, &profile)?;
            name
        };
        write(&photos, &mark.name(), format!("{name}\n").as_bytes())?;
        // Old files do no harm if they stay a little longer.
        let _ = expire(&photos, &profiles);
        Ok(())
    }

    fn read(&self, mark: Mark) -> Result<Option<Colour>> {
        let path = self.0.join("photos").join(mark.name());
        let name = match fs::read_to_string(&path) {
            Ok(name) => name,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(about(&path, &error)),
        };
        let name = name.trim_end();
        if name == NO_PROFILE {
            return Ok(Some(Colour::Srgb));
        }
        let path = self.0.join("profiles").join(name);
        let damaged = || Error::new(Code::Io, format!("{} is damaged", path.display()));
        if !is_name(name) || fs::metadata(&path).is_ok_and(|data| data.len() > 2 * MAX_PROFILE as u64) {
            return Err(damaged());
        }
        let profile = fs::read(&path).map_err(|error| about(&path, &error))?;
        if hash(&[&profile]) != name {
            return Err(damaged());
        }
        Colour::from_bytes(&profile).map(Some)
    }
}

/// Removes photos that are too old, then profiles that no photo needs. A recent profile may belong to a photo that is about to
/// be written.
fn expire(photos: &Path, profiles: &Path) -> io::Result<()> {
    let now = SystemTime::now();
    let older = |entry: &fs::DirEntry, age: Duration| {
        let modified = entry.metadata().and_then(|data| data.modified());
        modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|passed| passed > age))
    };
    let mut needed = std::collections::HashSet::new();
    for photo in fs::read_dir(photos)? {
        let photo = photo?;
        if older(&photo, KEPT_DAYS * DAY) {
            fs::remove_file(photo.path())?;
        } else {
            needed.insert(fs::read_to_string(photo.path())?.trim_end().to_owned());
        }
    }
    for profile in fs::read_dir(profiles)? {
        let profile = profile?;
        if older(&profile, DAY) && !needed.contains(profile.file_name().to_string_lossy().as_ref()) {
            fs::remove_file(profile.path())?;
        }
    }
    Ok(())
}

/// Creates a folder and its parents, accessible only to their owner.
fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file completely or not at all. Only its owner can read it, as with all temporary files.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    let written = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(&path).map_err(|failed| failed.error)
    };
    written().map(drop).map_err(|error| about(&path, &error))
}

fn hash(parts: &[&[u8]]) -> String {
    hex(&Sha256::digest(parts.concat()))
}

fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn about(path: &Path, error: &io::Error) -> Error {
    Error::new(Code::Io, format!("{}: {error}", path.display()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;
    use crate::photo::colour::Coded;

    fn p3() -> Colour {
        Colour::Coded(Coded { primaries: 12, transfer: 13, full_range: true })
    }

    #[test]
    fn what_is_kept_is_found_by_the_same_mark_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store(folder.path().join("colours"));
        let (photo, other) = (Mark::Encrypted(Origin([7; 32])), Mark::Scrambled(Nonce([7; 16])));
        assert_eq!(store.read(photo).unwrap(), None);
        store.keep(photo, &p3()).unwrap();
        assert_eq!(store.read(photo).unwrap(), Some(p3()));
        assert_eq!(store.read(other).unwrap(), None);
        // The store also remembers that a photo was converted.
        store.keep(other, &Colour::Srgb).unwrap();
        assert_eq!(store.read(other).unwrap(), Some(Colour::Srgb));
    }

    #[test]
    fn one_profile_is_kept_once_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store(folder.path().join("colours"));
        let names =
            |folder: &str| fs::read_dir(store.0.join(folder)).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
        for photo in 0..3 {
            store.keep(Mark::Encrypted(Origin([photo; 32])), &p3()).unwrap();
        }
        assert_eq!((names("photos").len(), names("profiles").len()), (3, 1));
        let age = |path: &Path, by: Duration| {
            fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
        };
        for path in names("photos").iter().chain(&names("profiles")) {
            age(path, 500 * DAY);
        }
        let new = Mark::Encrypted(Origin([9; 32]));
        store.keep(new, &Colour::Srgb).unwrap();
        assert_eq!((names("photos").len(), names("profiles").len()), (1, 0), "the old photos, then their profile");
        assert_eq!(store.read(new).unwrap(), Some(Colour::Srgb));
    }

    #[test]
    fn damage_is_told_and_no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store(folder.path().join("colours"));
        let mark = Mark::Encrypted(Origin([1; 32]));
        store.keep(mark, &p3()).unwrap();
        let entry = store.0.join("photos").join(mark.name());
        let name = fs::read_to_string(&entry).unwrap();
        fs::write(store.0.join("profiles").join(name.trim_end()), b"1").unwrap();
        assert!(store.read(mark).is_err());
        for bad in ["", "../../../etc/passwd", "/etc/passwd", &"é".repeat(32)] {
            fs::write(&entry, bad).unwrap();
            assert!(store.read(mark).is_err(), "{bad}");
        }
    }
}
