//! Folders of labelled pictures: one folder per label.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::files::Source;
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::learn::Shape;
use crate::photo::{Limits, Photo};
use crate::watch::Watch as _;

/// The longest picture file that is read, in bytes.
const MAX_PICTURE_FILE: u64 = 256 << 20;
/// Number of pictures in memory at a time.
const AT_A_TIME: usize = 16;
/// The file extensions of pictures.
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// A picture as learners see it.
pub(super) struct Picture {
    pub(super) shape: Shape,
    pub(super) photo: Photo,
    /// Whether it is scrambled with a key of its own, so that nothing can be learned from it.
    pub(super) own_key: bool,
}

impl Picture {
    /// Reads a picture, plain or scrambled, in sRGB, so that all programs that learn see the same colours. Errors name the
    /// file.
    pub(super) fn read(source: &Source) -> Result<Self> {
        let bytes = source.read(MAX_PICTURE_FILE, Code::ImageTooLarge)?;
        let photo = Photo::decode(&bytes, &Limits::default().of_scrambled())
            .map(Photo::into_srgb)
            .map_err(|error| Error::new(error.kind(), format!("{source}: {}", error.message())))?;
        let shape = Shape::of(&photo);
        Ok(Self { shape, photo, own_key: has_own_key(&bytes) })
    }
}

#[cfg(feature = "client")]
fn has_own_key(bytes: &[u8]) -> bool {
    use crate::schemes::etc::{Nonce, file};
    file::read_label(bytes).is_ok_and(|label| label.is_some_and(|label| label.nonce != Nonce::FIXED))
}

#[cfg(not(feature = "client"))]
const fn has_own_key(_: &[u8]) -> bool {
    false
}

/// Calls `take` with each picture and its label, in the order of the names. Several pictures are decoded at a time.
///
/// Hidden files and files without a picture's extension are skipped.
pub(super) fn for_each(folder: &Path, ui: &Ui, mut take: impl FnMut(&str, &Path, Picture) -> Result<()>) -> Result<()> {
    let mut files = Vec::new();
    for (label, folder) in entries(folder)?.into_iter().filter(|(_, path)| path.is_dir()) {
        let label =
            label.to_str().ok_or_else(|| bad(format!("{} is not valid Unicode; rename it", folder.display())))?;
        let pictures = entries(&folder)?.into_iter().filter(|(_, path)| path.is_file() && is_picture(path));
        files.extend(pictures.map(|(_, path)| (label.to_owned(), path)));
    }
    if files.is_empty() {
        let message = "has no folders with pictures; make one folder per label and put its pictures there";
        return Err(bad(format!("{} {message}", folder.display())));
    }
    ui.catch_interrupts();
    let bar = ui.bar("reading", Unit::Rows);
    let (mut done, mut own_keys) = (0, 0);
    for some in files.chunks(AT_A_TIME) {
        bar.check()?;
        let pictures: Vec<Result<Picture>> =
            some.par_iter().map(|(_, path)| Picture::read(&Source::File(path.clone()))).collect();
        for ((label, path), picture) in some.iter().zip(pictures) {
            let picture = picture?;
            own_keys += usize::from(picture.own_key);
            take(label, path, picture)
                .map_err(|error| Error::new(error.kind(), format!("{}: {}", path.display(), error.message())))?;
            done += 1;
            bar.progress(done, files.len() as u64);
        }
    }
    bar.clear();
    note_own_keys(own_keys, ui);
    Ok(())
}

/// Notes that pictures with keys of their own have nothing in common.
pub(super) fn note_own_keys(count: usize, ui: &Ui) {
    if count > 0 {
        ui.note(&format!(
            "{count} of the pictures are each scrambled with a key of their own, which leaves nothing to learn or \
             recognise; scramble them with --fixed-key"
        ));
    }
}

/// The entries of a folder, sorted by name, without hidden ones.
fn entries(folder: &Path) -> Result<Vec<(std::ffi::OsString, PathBuf)>> {
    let about = |error: std::io::Error| Error::new(Code::Io, format!("cannot read {}: {error}", folder.display()));
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(about)? {
        let entry = entry.map_err(about)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push((entry.file_name(), entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn bad(message: String) -> Error {
    Error::new(Code::BadArgument, message)
}
