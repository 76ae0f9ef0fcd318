//! CIFAR-10 (Krizhevsky 2009): 60,000 photos of 32 x 32 pixels in ten classes.

use std::fs;
use std::path::Path;

use super::tiles;
use crate::error::{Code, Error, Result};
use crate::photo::Photo;

/// The side of a photo in pixels.
pub const SIDE: u32 = 32;
/// Photos across and down on a sheet.
const TILES: u32 = 100;
/// The sheets, in the order of their use.
pub const SHEETS: [&str; 6] = ["train-0", "train-1", "train-2", "train-3", "train-4", "test"];

/// Reads one sheet, such as `train-0.webp`: 100 x 100 photos of 32 x 32 pixels, row by row.
///
/// # Errors
/// [`Code::NotFound`] if it does not exist, the codes of [`Photo::decode`], [`Code::ImagesDiffer`] for a sheet of another size.
pub fn read(folder: &Path, sheet: &str) -> Result<Vec<Photo>> {
    let file = folder.join(sheet).with_extension("webp");
    let bytes = fs::read(&file).map_err(|error| {
        let message = format!("cannot read {}: {error}; name the folder with the sheets", file.display());
        Error::new(Code::NotFound, message)
    })?;
    tiles::cut(&bytes, &file, TILES, (SIDE, SIDE))
}
