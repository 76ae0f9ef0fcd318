//! `safelight etc`: scrambled pictures that stay JPEG or PNG files.

use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, RangedI64ValueParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::colours::{self, Mark, Wanted};
use super::encrypt::{MAX_PHOTO_FILE, Read, read_photo};
use super::files::{self, Sink, Source};
use super::passphrase::PassphraseFlags;
use super::picture::{JpegFlags, Picture, PictureKind};
use super::ui::Ui;
use crate::error::{Code, Error, Result};
use crate::etc::file;
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
/// The output's name decides the kind: JPEG for .jpg or .jpeg, PNG for .png or no ending. From PNG, the colour form comes back
/// exactly; the grey form comes back within two units per sample, because the conversion to luma and chroma rounds, and
/// grey-420 also halves the chroma. Grey photos come back exactly in every form. Transparency is not scrambled: it stays in
/// your photo.
///
/// The picture can be put together again with the key and its label, a line of text that stands in the file. Some sites
/// remove it, so keep the line (`safelight etc label`) or the file.
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
    #[command(flatten)]
    jpeg: JpegFlags,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// Put a scrambled picture together again
///
/// The output's name decides the kind: .png, .jpg or .webp (lossless).
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight etc decrypt --key my.key scrambled.jpg --out again.png
  safelight etc decrypt --key my.key scrambled.png --original logo.png --out again.png
  safelight etc decrypt --key my.key from-the-site.jpg --label 'etc1 colour 16 ...' --out again.png")]
struct DecryptFlags {
    /// The key file, or -
    #[arg(long, value_name = "KEY")]
    key: OsString,
    /// The scrambled picture, or -
    picture: OsString,
    /// The picture to write (.png, .jpg or .webp), or -
    #[arg(long, value_name = "OUT")]
    out: OsString,
    /// The picture's label, if it is no longer in the file
    #[arg(long, value_name = "TEXT")]
    label: Option<Label>,
    /// The original photo, to take the transparency from, and the colour profile where this machine has not kept it
    #[arg(long, value_name = "PHOTO")]
    original: Option<OsString>,
    #[command(flatten)]
    jpeg: JpegFlags,
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
        Command::Encrypt(flags) => encrypt(&flags, ui),
        Command::Decrypt(flags) => decrypt(&flags, ui),
        Command::Label(flags) => {
            let bytes = Source::from(flags.picture).read(MAX_PHOTO_FILE, Code::ImageTooLarge)?;
            files::print(&format!("{}\n", file::read_label(&bytes)?.ok_or_else(no_label)?))
        }
    }
}

fn encrypt(flags: &EncryptFlags, ui: &Ui) -> Result<()> {
    let settings = Settings {
        block: flags.block.unwrap_or(Settings::new(flags.form).block),
        fixed_key: flags.fixed_key,
        form: flags.form,
    };
    let (key, photo) = (Source::from(flags.key.as_os_str()), Source::from(flags.photo.as_os_str()));
    Source::check_one_stdin(&[&key, &photo])?;
    let key = key_file::read_etc(&flags.passphrase.read_key(&key)?)?;
    let wanted = flags.colour.unwrap_or(if settings.fixed_key { Wanted::Srgb } else { Wanted::Keep });
    let Read { photo, mark_as } = read_photo(&photo, wanted, ui)?;
    if photo.alpha().is_some() {
        ui.note("keep the photo: the scrambled picture is without its transparency, which `etc decrypt --original` restores");
    }
    let (sink, kind) = Sink::scrambled(&flags.out)?;
    let output = flags.output(kind)?;
    let (picture, label) = etc::encrypt(&photo, &key, settings)?;
    let file = output.encode(&picture, Some(&label), ui)?;
    match mark_as {
        Some(colour) if !settings.fixed_key => colours::keep(Mark::Scrambled(label.nonce), &colour, ui),
        Some(colour) if colour != Colour::Srgb => {
            ui.note("what the photo's colours mean is not in the picture; use --original when you decrypt it");
        }
        _ => {}
    }
    sink.write_whole(&file)?;
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
    let mut photo = etc::decrypt(&picture, &label, &key)?;
    photo.notices().iter().for_each(|notice| ui.note(notice.text()));
    let mut colour = (label.nonce != Nonce::FIXED).then(|| colours::find(Mark::Scrambled(label.nonce), ui)).flatten();
    if let Some(original) = original {
        let original = read_photo(&original, Wanted::Keep, ui)?.photo;
        if (original.width(), original.height()) != (photo.width(), photo.height()) {
            let message = "the original photo and the scrambled one differ in size; give the photo that was scrambled";
            return Err(Error::new(Code::ImagesDiffer, message));
        }
        if let Some(alpha) = original.alpha() {
            photo = photo.with_alpha(alpha.to_vec())?;
        }
        colour = colour.or_else(|| Some(original.colour().clone()));
    }
    let photo = photo.with_colour(colour.unwrap_or_default());
    let (sink, kind) = Sink::picture(&flags.out)?;
    sink.write_whole(&flags.jpeg.picture(kind)?.encode(&photo, None, ui)?)?;
    ui.summary(&format!("put {} x {} pixels together again", photo.width(), photo.height()));
    Ok(())
}

impl EncryptFlags {
    /// How the output is made.
    fn output(&self, kind: PictureKind) -> Result<Picture> {
        let kind = match kind {
            // What standard output gets has no name: flags of JPEG decide.
            PictureKind::Png if self.out == "-" && self.jpeg.any() => PictureKind::Jpeg,
            PictureKind::WebP => {
                let message = "scrambled pictures are written as PNG or JPEG; end the output's name in .png or .jpg";
                return Err(Error::new(Code::BadArgument, message));
            }
            kind => kind,
        };
        self.jpeg.picture(kind)
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
