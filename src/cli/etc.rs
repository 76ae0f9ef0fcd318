//! `safelight etc`: scrambled pictures that stay JPEG or PNG files.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::{PossibleValuesParser, RangedI64ValueParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::colours::{self, Mark, Wanted};
use super::encrypt::{MAX_PHOTO_FILE, Read, read_photo};
use super::files::{self, Care, Sink, Source};
use super::passphrase::PassphraseFlags;
use super::ui::Ui;
use crate::error::{Code, Error, Result};
use crate::etc::file::{self, Jpeg, Subsampling};
use crate::etc::label::sheet_limits;
use crate::etc::resistance::{FEW_BLOCKS, LARGE_BLOCK};
use crate::etc::{self, BLOCKS, Form, Label, Nonce, Resistance, Settings};
use crate::photo::{Colour, Photo};
use crate::wire::key as key_file;

/// Scramble photos block by block, so that they stay JPEG files that sites store and programs learn from
///
/// This is obfuscation, not encryption: it hides a picture from a casual look. Pictures that share a fixed key can be put
/// together again from one another; a picture of few or large blocks by itself. docs/etc-attacks.md has the figures.
#[derive(Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Encrypt(EncryptFlags),
    Decrypt(DecryptFlags),
    Label(LabelFlags),
}

/// Scramble a photo
///
/// The picture is written as JPEG where the output's name ends in .jpg or .jpeg, else as PNG, which keeps every sample. It
/// can be put together again with the key and its label, a line of text that stands in the file. Sites that drop it from
/// the file leave you with the picture alone, so keep the line (`safelight etc label`) or the file.
///
/// A photo's colour profile is never in the picture. It is kept on this machine, as `safelight encrypt --help` says, unless
/// every picture is scrambled alike: programs that learn are to see the same colours.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight keygen etc --out my.key
  safelight etc encrypt --key my.key photo.png --out scrambled.png
  safelight etc encrypt --key my.key photo.jpg --form grey-420 --quality 80 --out scrambled.jpg")]
struct EncryptFlags {
    /// The key file, or -
    #[arg(long, value_name = "KEY")]
    key: OsString,
    /// The photo, or -
    photo: OsString,
    /// The picture to write (.jpg or .png), or -
    #[arg(long, value_name = "OUT")]
    out: OsString,
    /// What is split into blocks: the colours, or luma and chroma planes side by side, the latter also at half size
    #[arg(long, default_value = "colour", value_parser = form_parser())]
    form: Form,
    /// The side of a block in pixels, 4 to 64 [default: 16 for colour, 8 for grey]
    #[arg(long, value_name = "N", value_parser = block_parser())]
    block: Option<u8>,
    /// Scramble every picture alike; such pictures give each other away
    #[arg(long)]
    fixed_key: bool,
    /// What becomes of colours other than sRGB: keep the samples, and the profile on this machine; or convert to sRGB
    /// [default: keep, and srgb with --fixed-key]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true)]
    colour: Option<Wanted>,
    /// JPEG's quality, 1 to 100 [default: 85]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,
    /// JPEG's chroma subsampling [default: 444]
    #[arg(long, value_parser = subsampling_parser())]
    subsampling: Option<Subsampling>,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// Put a scrambled picture together again
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight etc decrypt --key my.key scrambled.jpg --out photo.png
  safelight etc decrypt --key my.key from-the-site.jpg --label 'etc1 colour 16 ...' --out photo.png")]
struct DecryptFlags {
    /// The key file, or -
    #[arg(long, value_name = "KEY")]
    key: OsString,
    /// The scrambled picture, or -
    picture: OsString,
    /// The PNG file to write, or -
    #[arg(long, value_name = "OUT.png")]
    out: OsString,
    /// The picture's label, if it is no longer in the file
    #[arg(long, value_name = "TEXT")]
    label: Option<Label>,
    /// The original photo, to take the colour profile from where this machine has not kept it
    #[arg(long, value_name = "PHOTO")]
    original: Option<OsString>,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// Print the label of a scrambled picture, which its owner needs beside the key
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight etc label scrambled.jpg")]
struct LabelFlags {
    /// The scrambled picture, or -
    picture: OsString,
}

pub(super) fn run(flags: Flags, ui: &Ui) -> Result<()> {
    match flags.command {
        Command::Encrypt(flags) => encrypt(flags, ui),
        Command::Decrypt(flags) => decrypt(&flags, ui),
        Command::Label(flags) => {
            let bytes = Source::from(flags.picture).read(MAX_PHOTO_FILE, Code::ImageTooLarge)?;
            files::print(&format!("{}\n", file::read_label(&bytes)?.ok_or_else(no_label)?))
        }
    }
}

fn encrypt(flags: EncryptFlags, ui: &Ui) -> Result<()> {
    let jpeg = flags.jpeg()?;
    let settings = Settings {
        block: flags.block.unwrap_or(Settings::new(flags.form).block),
        fixed_key: flags.fixed_key,
        form: flags.form,
    };
    let (key, photo) = (Source::from(flags.key), Source::from(flags.photo));
    Source::check_one_stdin(&[&key, &photo])?;
    let key = key_file::read_etc(&flags.passphrase.read_key(&key)?)?;
    let wanted = flags.colour.unwrap_or(if settings.fixed_key { Wanted::Srgb } else { Wanted::Keep });
    let Read { photo, mark_as } = read_photo(&photo, wanted, ui)?;
    let sink = Sink::create(&flags.out, Care::Binary)?;
    let (picture, label) = etc::encrypt(&photo, &key, settings)?;
    let bytes = match jpeg {
        Some(how) => file::encode_jpeg(&picture, Some(&label), how)?,
        None => file::encode_png(&picture, Some(&label))?,
    };
    match mark_as {
        Some(colour) if !settings.fixed_key => colours::keep(Mark::Scrambled(label.nonce), &colour, ui),
        Some(colour) if colour != Colour::Srgb => {
            ui.note("what the photo's colours mean is not in the picture; use --original when you decrypt it");
        }
        _ => {}
    }
    sink.write_whole(&bytes)?;
    if let Some(weakness) = weakness(&label, settings.fixed_key) {
        ui.note(&weakness);
    }
    ui.summary(&format!("scrambled {} blocks; this hides a picture from a casual look, no more", label.blocks()));
    Ok(())
}

/// What the person should know about the settings, if anything.
fn weakness(label: &Label, fixed_key: bool) -> Option<String> {
    let (blocks, block) = (label.blocks(), label.block);
    match Resistance::of(label) {
        Resistance::Falls if fixed_key => {
            Some("every picture is scrambled alike; from a few of them anybody can put them together again".into())
        }
        Resistance::Falls if blocks < FEW_BLOCKS => {
            Some(format!("the picture has only {blocks} blocks, so few that it can be put together by trying"))
        }
        Resistance::Falls => Some(format!(
            "blocks of {block} pixels fit together like a jigsaw puzzle, from {LARGE_BLOCK} on nearly always; use --block 8"
        )),
        Resistance::Shows => Some(format!(
            "parts of a picture with {blocks} blocks of {block} pixels can be put together; hundreds of blocks of 8 show less"
        )),
        Resistance::Holds => None,
    }
}

fn decrypt(flags: &DecryptFlags, ui: &Ui) -> Result<()> {
    let (key, picture) = (Source::from(flags.key.as_os_str()), Source::from(flags.picture.as_os_str()));
    let original = flags.original.as_deref().map(Source::from);
    Source::check_one_stdin(&[&key, &picture].into_iter().chain(&original).collect::<Vec<_>>())?;
    let key = key_file::read_etc(&flags.passphrase.read_key(&key)?)?;
    let bytes = picture.read(MAX_PHOTO_FILE, Code::ImageTooLarge)?;
    let label = match &flags.label {
        Some(label) => label.clone(),
        None => file::read_label(&bytes)?.ok_or_else(no_label)?,
    };
    let picture = Photo::decode(&bytes, &sheet_limits())?;
    let kept = (label.nonce != Nonce::FIXED).then(|| colours::find(Mark::Scrambled(label.nonce), ui)).flatten();
    let colour = match (kept, original) {
        (Some(colour), _) => colour,
        (None, Some(source)) => read_photo(&source, Wanted::Keep, ui)?.photo.colour().clone(),
        (None, None) => Colour::Srgb,
    };
    let photo = etc::decrypt(&picture, &label, &key)?.with_colour(colour);
    Sink::create(&flags.out, Care::Binary)?.write_whole(&file::encode_png(&photo, None)?)?;
    ui.summary(&format!("put {} x {} pixels together again", photo.width(), photo.height()));
    Ok(())
}

impl EncryptFlags {
    /// How the output is made as JPEG, or nothing for PNG.
    fn jpeg(&self) -> Result<Option<Jpeg>> {
        let extension = Path::new(&self.out).extension().and_then(OsStr::to_str).unwrap_or_default();
        let wanted = self.quality.is_some() || self.subsampling.is_some();
        if !["jpg", "jpeg"].iter().any(|name| extension.eq_ignore_ascii_case(name)) {
            if wanted && self.out != "-" {
                let message = "quality and subsampling are JPEG's; name the output something.jpg";
                return Err(Error::new(Code::BadArgument, message));
            }
            if !wanted {
                return Ok(None);
            }
        }
        let preset = Jpeg::default();
        Ok(Some(Jpeg {
            quality: self.quality.unwrap_or(preset.quality),
            subsampling: self.subsampling.unwrap_or(preset.subsampling),
            ..preset
        }))
    }
}

fn no_label() -> Error {
    let message =
        "the file has no label of a scrambled picture, perhaps because a site dropped it; give it with --label";
    Error::new(Code::BadHeader, message)
}

/// The side of a block, as every command about scrambled pictures takes it.
pub(super) fn block_parser() -> RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(i64::from(*BLOCKS.start())..=i64::from(*BLOCKS.end()))
}

fn form_parser() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::as_str)).map(|name| Form::from_name(&name).unwrap_or(Form::Colour))
}

fn subsampling_parser() -> impl TypedValueParser<Value = Subsampling> {
    PossibleValuesParser::new(Subsampling::ALL.map(Subsampling::as_str))
        .map(|name| Subsampling::from_name(&name).unwrap_or(Subsampling::Full))
}
