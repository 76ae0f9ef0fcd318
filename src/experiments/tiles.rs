//! Sheets: many small pictures in one file, row by row.

use std::path::Path;

use crate::error::{Code, Error, Result};
use crate::photo::{Limits, Photo};

/// Cuts a sheet into `across` x `across` pictures of `width` x `height` pixels. `bytes` is the content of the file `name`.
///
/// # Errors
/// The codes of [`Photo::decode`], and [`Code::ImagesDiffer`] for a sheet of another size or in grey (the sheets are lossless
/// WebP, which has only colour).
pub(super) fn cut(bytes: &[u8], name: &Path, across: u32, (width, height): (u32, u32)) -> Result<Vec<Photo>> {
    let sheet = Photo::decode(bytes, &Limits::default())?;
    if (sheet.width(), sheet.height(), sheet.channels()) != (across * width, across * height, 3) {
        let name = name.display();
        let message = format!("{name} is not a sheet of {across} x {across} pictures of {width} x {height} pixels");
        return Err(Error::new(Code::ImagesDiffer, message));
    }
    let tile = |number: u32| {
        let (left, top) = (number % across * width, number / across * height);
        let row = |y: u32| {
            let start = 3 * ((top + y) * sheet.width() + left) as usize;
            &sheet.samples()[start..start + 3 * width as usize]
        };
        Photo::from_samples(width, height, 3, (0..height).flat_map(row).copied().collect())
    };
    (0..across * across).map(tile).collect()
}
