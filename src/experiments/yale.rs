//! Extended Yale B, cropped: 38 persons under 64 lights (Georghiades, Belhumeur, Kriegman 2001; Lee, Ho, Kriegman 2005).
//! For research only.

use std::fs;
use std::path::Path;

use image::GrayImage;
use image::imageops::{FilterType, resize};
use rayon::prelude::*;

use super::tiles;
use crate::error::{Code, Error, Result};
use crate::photo::Photo;

/// The width in pixels that the experiments use, a multiple of the block size 8.
pub const WIDTH: u32 = 160;
/// The height in pixels.
pub const HEIGHT: u32 = 192;

/// A tile's width on the sheets, in pixels. Its height is [`HEIGHT`] already.
const TILE_WIDTH: u32 = 168;
/// Tiles across and down.
const TILES: u32 = 8;

/// Pictures of faces, in grey and of one size.
pub struct Faces {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The pictures of each person, equally many for all: `width` x `height` samples each, row by row.
    pub people: Vec<Vec<Vec<u8>>>,
}

/// Reads the sheets `yaleBNN.webp` in a folder, one for each person: 8 x 8 tiles of 168 x 192 pixels each, which are resized to
/// a width of 160 pixels.
///
/// # Errors
/// [`Code::NotFound`] if there are no sheets, [`Code::Io`], the codes of [`Photo::decode`], [`Code::ImagesDiffer`] for a sheet
/// of another size.
pub fn read(folder: &Path) -> Result<Faces> {
    let cannot = |error| Error::new(Code::Io, format!("cannot read {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|name| name == "webp") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let message = format!("{} has no sheets yaleB01.webp and so on; name the folder with them", folder.display());
        return Err(Error::new(Code::NotFound, message));
    }
    let people = files.par_iter().map(|file| read_sheet(file)).collect::<Result<_>>()?;
    Ok(Faces { width: WIDTH, height: HEIGHT, people })
}

fn read_sheet(file: &Path) -> Result<Vec<Vec<u8>>> {
    let tiles = tiles::cut(&fs::read(file)?, file, TILES, (TILE_WIDTH, HEIGHT))?;
    let narrowed = |tile: Photo| {
        // Lossless WebP has no grey, so its three channels are the same.
        let grey = tile.samples().iter().step_by(3).copied().collect();
        let tile = GrayImage::from_raw(TILE_WIDTH, HEIGHT, grey)
            .ok_or_else(|| Error::new(Code::Internal, "a sheet lost its pixels"))?;
        Ok(resize(&tile, WIDTH, HEIGHT, FilterType::Triangle).into_raw())
    };
    tiles.into_iter().map(narrowed).collect()
}
