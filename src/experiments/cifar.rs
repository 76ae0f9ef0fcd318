//! CIFAR-10 (Krizhevsky 2009): 60,000 photos of 32 x 32 pixels in ten classes.

use std::fs;
use std::path::Path;

use crate::error::{Code, Error, Result};
use crate::photo::{Limits, Photo};

/// The side of a photo in pixels.
pub const SIDE: u32 = 32;
/// Photos across and down on a sheet.
const TILES: u32 = 100;
/// The sheets, in the order of their use.
pub const SHEETS: [&str; 6] = ["train-0", "train-1", "train-2", "train-3", "train-4", "test"];

/// Reads one sheet, such as `train-0.webp`: 100 x 100 photos of 32 x 32 pixels, row by row.
///
/// # Errors
/// [`Code::NotFound`] if it is not there, the codes of [`Photo::decode`], [`Code::ImagesDiffer`] for a sheet of another size.
pub fn read(folder: &Path, sheet: &str) -> Result<Vec<Photo>> {
    let file = folder.join(sheet).with_extension("webp");
    let bytes = fs::read(&file)
        .map_err(|error| Error::new(Code::NotFound, format!("cannot read {}: {error}", file.display())))?;
    let photo = Photo::decode(&bytes, &Limits::default())?;
    if (photo.width(), photo.height(), photo.channels()) != (TILES * SIDE, TILES * SIDE, 3) {
        let message = format!("{} is no sheet of 100 x 100 photos of 32 x 32 pixels", file.display());
        return Err(Error::new(Code::ImagesDiffer, message));
    }
    (0..TILES * TILES).map(|number| tile(&photo, number)).collect()
}

fn tile(sheet: &Photo, number: u32) -> Result<Photo> {
    let (left, top) = (number % TILES * SIDE, number / TILES * SIDE);
    let row = |y: u32| {
        let start = 3 * ((top + y) * sheet.width() + left) as usize;
        &sheet.samples()[start..start + 3 * SIDE as usize]
    };
    Photo::from_samples(SIDE, SIDE, 3, (0..SIDE).flat_map(row).copied().collect())
}
