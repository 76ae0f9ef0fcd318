//! `safelight attack`: what scrambled pictures reveal without the key.

mod table;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::encrypt::MAX_PHOTO_FILE;
use super::etc::block_parser;
use super::files::{self, Care, Sink, Source};
use super::ui::Ui;
use crate::error::{Code, Error, Result};
use crate::photo::quality::{psnr, ssim};
use crate::photo::{Limits, Photo};
use crate::schemes::etc::attack::{self, Solution};
use crate::schemes::etc::{Form, Label, Sheet, file};

/// Try to recover scrambled pictures without their key
#[derive(Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    scheme: Scheme,
}

#[derive(Subcommand)]
enum Scheme {
    Etc(EtcFlags),
    Table(table::Flags),
}

/// Reassemble pictures that were scrambled with the same key
///
/// Uses only the pictures. They do not reveal how the whole is turned and coloured: with --originals, the best match of all is
/// written and its similarity printed (SSIM; 1 means identical); otherwise, an arbitrary one is written. If the attacker knows
/// some of the photos, give them with --known: they show what was done to each block.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight attack etc scrambled/*.png --out-dir seen
  safelight attack etc one.jpg two.jpg --block 16 --originals one.png two.png --out-dir seen
  safelight attack etc one.jpg two.jpg --known one.png --out-dir seen")]
struct EtcFlags {
    /// Scrambled pictures, all of the same size and key
    #[arg(required = true)]
    pictures: Vec<OsString>,
    /// Folder for the recovered pictures, as PNG files with the same names
    #[arg(long, value_name = "DIR")]
    out_dir: PathBuf,
    /// Side of a block in pixels [default: from the first picture's label]
    #[arg(long, value_name = "N", value_parser = block_parser())]
    block: Option<u8>,
    /// Original photos, in the same order, to measure how much was recovered
    #[arg(long, num_args = 1.., value_name = "FILE")]
    originals: Vec<OsString>,
    /// Photos that the attacker has, for the first of the pictures, in the same order
    #[arg(long, num_args = 1.., value_name = "FILE")]
    known: Vec<OsString>,
}

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    match &flags.scheme {
        Scheme::Etc(flags) => etc(flags),
        Scheme::Table(flags) => table::run(flags, ui),
    }
}

fn etc(flags: &EtcFlags) -> Result<()> {
    let originals = flags.originals.iter().map(|name| decode(&read(name)?)).collect::<Result<Vec<_>>>()?;
    if !originals.is_empty() && originals.len() != flags.pictures.len() {
        return Err(Error::new(Code::BadArgument, "give one original for each scrambled picture, in the same order"));
    }
    if flags.known.len() > flags.pictures.len() {
        return Err(Error::new(Code::BadArgument, "give no more known photos than scrambled pictures"));
    }
    let mut label = None;
    let mut sheets = Vec::new();
    for name in &flags.pictures {
        let bytes = read(name)?;
        sheets.push(Sheet::from(&decode(&bytes)?));
        if label.is_none() {
            label = file::read_label(&bytes)?;
        }
    }
    let block = flags.block.or(label.as_ref().map(|label| label.block)).ok_or_else(|| {
        Error::new(Code::BadArgument, "the picture has no label with the size of its blocks; give --block")
    })?;
    let (solution, mut text) = if flags.known.is_empty() {
        let solution = attack::solve(&sheets, block.into())?;
        let text = format!("{:.0} % of the blocks were joined\n", 100.0 * solution.joined);
        (solution, text)
    } else {
        known(flags, &sheets, label.as_ref(), block)?
    };
    std::fs::create_dir_all(&flags.out_dir)?;
    for (i, sheet) in sheets.iter().enumerate() {
        let mut found = solution.apply(sheet);
        if let Some(original) = originals.get(i) {
            let before = ssim(&shown(sheet, original)?, original)?;
            // Known photos already determine the orientation and the colours of the whole picture.
            if flags.known.is_empty() {
                found = attack::best_view(&found, |view| psnr(&shown(view, original)?, original))?.1;
            }
            let after = ssim(&shown(&found, original)?, original)?;
            let name = Path::new(&flags.pictures[i]).display();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}: SSIM {before:.3} scrambled, {after:.3} recovered");
        }
        let name = Path::new(&flags.pictures[i]).with_extension("png");
        let name = name.file_name().ok_or_else(|| Error::new(Code::BadArgument, "a picture has no name"))?;
        let png = file::encode_png(&found.into_photo()?, None)?;
        Sink::create(flags.out_dir.join(name).as_os_str(), Care::Picture)?.write_whole(&png)?;
    }
    files::print(&text)
}

/// The solution found with the known photos, and a line of text that summarises it.
fn known(flags: &EtcFlags, sheets: &[Sheet], label: Option<&Label>, block: u8) -> Result<(Solution, String)> {
    let clear = |name: &OsString| {
        let photo = decode(&read(name)?)?;
        // Without a label, assume the colour form, which only pads the photo.
        let sheet = match label {
            Some(label) if label.form != Form::Colour => {
                let (width, height, channels) = (photo.width(), photo.height(), photo.channels());
                Sheet::of_photo(&photo, &Label { width, height, channels, ..label.clone() })
            }
            _ => {
                let whole = |side: u32| (side as usize).next_multiple_of(block.into());
                Sheet::padded(&photo, whole(photo.width()), whole(photo.height()))
            }
        };
        Ok(sheet)
    };
    let clear = flags.known.iter().map(clear).collect::<Result<Vec<_>>>()?;
    let pairs: Vec<(Sheet, Sheet)> = clear.into_iter().zip(sheets.iter().cloned()).collect();
    let known = attack::known(&pairs, block.into())?;
    let text = format!(
        "{:.0} % of the blocks were matched, {:.0} % of them ambiguously\n",
        100.0 * known.solution.joined,
        100.0 * known.ambiguous
    );
    Ok((known.solution, text))
}

fn read(name: &OsString) -> Result<Zeroizing<Vec<u8>>> {
    Source::from(name.as_os_str()).read(MAX_PHOTO_FILE, Code::ImageTooLarge)
}

fn decode(bytes: &[u8]) -> Result<Photo> {
    Photo::decode(bytes, &Limits::default())
}

/// The picture without the padding at its edges.
fn shown(sheet: &Sheet, original: &Photo) -> Result<Photo> {
    let (width, height) = (original.width() as usize, original.height() as usize);
    let fits = sheet.width >= width && sheet.height >= height && sheet.channels == usize::from(original.channels());
    if !fits {
        return Err(Error::new(Code::ImagesDiffer, "an original differs in form or size from its scrambled picture"));
    }
    Photo::from_samples(original.width(), original.height(), original.channels(), sheet.corner(width, height))
}
