//! The size of scrambled photos as JPEG files, compared with plain ones: the JPEG rows of the table of file sizes by
//! `MaungMaung` and Kiya for CIFAR-10, at quality 85 without chroma subsampling.
//!
//! Whole files are counted, from the first marker to the last, headers and tables included; labels, about a hundred bytes each,
//! are omitted. Files with either kind of tables have the same coefficients, so they decode to the same pixels.

use std::path::Path;

use rayon::prelude::*;

use super::cifar;
use crate::error::Result;
use crate::schemes::etc::file::{Jpeg, encode_jpeg};
use crate::schemes::etc::{Form, MasterKey, Settings, encrypt};

/// The paper's figures for all plain photos and all scrambled ones, in millions of bytes.
pub const PAPER: [f64; 2] = [68.7, 69.0];

/// The bytes of all files together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Plain and scrambled photos, with the standard Huffman tables.
    pub standard: [u64; 2],
    /// The same photos with tables optimised for each photo.
    pub optimised: [u64; 2],
}

impl Sizes {
    fn plus(self, other: Self) -> Self {
        let add = |a: [u64; 2], b: [u64; 2]| [a[0] + b[0], a[1] + b[1]];
        Self { standard: add(self.standard, other.standard), optimised: add(self.optimised, other.optimised) }
    }
}

/// Encodes every photo of the sheets in a folder four times. Each photo is scrambled with blocks of 16 pixels under its own
/// nonce. `watch(done, all)` receives the progress, and can end it with an error.
///
/// # Errors
/// As [`cifar::read`], and errors of `watch`.
pub fn run(folder: &Path, quality: u8, mut watch: impl FnMut(u64, u64) -> Result<()>) -> Result<Sizes> {
    let key = MasterKey::random()?;
    let mut sizes = Sizes::default();
    for (done, sheet) in (0..).zip(cifar::SHEETS) {
        watch(done, cifar::SHEETS.len() as u64)?;
        let photos = cifar::read(folder, sheet)?;
        let of_sheet = photos.par_iter().map(|plain| -> Result<Sizes> {
            let (scrambled, _) = encrypt(plain, &key, Settings::new(Form::Colour))?;
            let size = |picture, optimised| {
                let how = Jpeg { quality, optimised, ..Jpeg::default() };
                encode_jpeg(picture, None, how).map(|file| file.len() as u64)
            };
            Ok(Sizes {
                standard: [size(plain, false)?, size(&scrambled, false)?],
                optimised: [size(plain, true)?, size(&scrambled, true)?],
            })
        });
        sizes = sizes.plus(of_sheet.try_reduce(Sizes::default, |a, b| Ok(a.plus(b)))?);
    }
    watch(cifar::SHEETS.len() as u64, cifar::SHEETS.len() as u64)?;
    Ok(sizes)
}
