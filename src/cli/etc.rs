//! `safelight etc`: scrambled pictures that stay JPEG or PNG files.

use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, RangedI64ValueParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::colours::{self, Mark, Wanted};
use super::encrypt::{MAX_PHOTO_FILE, Read, read_original, read_photo};
use super::files::{self, Sink, Source};
use super::passphrase::PassphraseFlags;
use super::picture::{JpegFlags, Picture, PictureKind};
use super::ui::Ui;
use crate::error::{Code, Error, Result};
use crate::photo::{Colour, Photo};
use crate::schemes::etc::file;
use crate::schemes::etc::label::sheet_limits;
use crate::schemes::etc::resistance::{FEW_BLOCKS, LARGE_BLOCK};
use crate::schemes::etc::{self, BLOCKS, Form, Label, Nonce, Resistance, Settings};

/// Scramble photos block by block; they stay JPEG files that sites can store and programs can learn from
///
/// This is obfuscation, not encryption: it hides a picture from a casual look. Pictures that share a fixed key can be
/// reassembled from one another; a picture with few or large blocks, from itself. See docs/etc-attacks.md for figures.
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
/// The output's name decides the format: JPEG for .jpg or .jpeg, PNG for .png or no extension. From PNG, the colour form is
/// restored exactly. The grey form is restored within two units per sample, because the conversion to luma and chroma rounds;
/// grey-420 also halves the chroma. Grey photos are restored exactly in every form. Transparency is not scrambled: it stays in
/// your photo.
///
/// To unscramble the picture you need the key and its label, a line of text in the file. Some sites remove it, so keep the
/// label (`safelight etc label`) or the file.
///
/// A photo's colour profile is never in the picture. It is kept on this machine (see `safelight encrypt --help`), except with
/// --fixed-key, which converts colours to sRGB so that programs learn from the same colours.
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
    /// What is split into blocks: the colours; luma and chroma planes side by side; or the same with chroma at half size
    #[arg(long, default_value = "colour", value_parser = form_parser())]
    form: Form,
    /// Side of a block in pixels, 4 to 64 [default: 16 for colour, 8 for grey]
    #[arg(long, value_name = "N", value_parser = block_parser())]
    block: Option<u8>,
    /// Scramble every picture the same way; such pictures give each other away
    #[arg(long)]
    fixed_key: bool,
    /// Colours other than sRGB: keep the samples, and the profile on this machine; or convert to sRGB [default: keep, or srgb
    /// with --fixed-key]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true)]
    colour: Option<Wanted>,
    #[command(flatten)]
    jpeg: JpegFlags,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// Unscramble a picture
///
/// The output's name decides the format: .png, .jpg or .webp (lossless).
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
    /// Label of the picture, if it is no longer in the file
    #[arg(long, value_name = "TEXT")]
    label: Option<Label>,
    /// Original photo, to restore transparency, and the colour profile if this machine has not kept it
    #[arg(long, value_name = "PHOTO")]
    original: Option<OsString>,
    #[command(flatten)]
    jpeg: JpegFlags,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// Print the label of a scrambled picture, which its owner needs in addition to the key
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
    let key = etc::wire::read_key(&flags.passphrase.read_key(&key)?)?;
    let wanted = flags.colour.unwrap_or(if settings.fixed_key { Wanted::Srgb } else { Wanted::Keep });
    let Read { photo, mark_as } = read_photo(&photo, wanted, ui)?;
    if photo.alpha().is_some() {
        ui.note("keep the photo: the scrambled picture has no transparency; `etc decrypt --original` restores it");
    }
    let (sink, kind) = Sink::scrambled(&flags.out)?;
    let output = flags.output(kind)?;
    let (picture, label) = etc::encrypt(&photo, &key, settings)?;
    let file = output.encode(&picture, Some(&label), ui)?;
    match mark_as {
        colour if !settings.fixed_key => {
            colours::keep(Mark::Scrambled(label.nonce), &colour.unwrap_or_default(), ui);
        }
        Some(colour) if colour != Colour::Srgb => {
            ui.note("the photo's colour profile is not in the picture; to restore it, decrypt with --original");
        }
        _ => {}
    }
    sink.write_whole(&file)?;
    if let Some(weakness) = weakness(&label, settings.fixed_key) {
        ui.note(&weakness);
    }
    ui.summary(&format!("scrambled {} blocks; this only hides the picture from a casual look", label.blocks()));
    Ok(())
}

/// A note about weak settings, if there is one to show.
fn weakness(label: &Label, fixed_key: bool) -> Option<String> {
    let (blocks, block) = (label.blocks(), label.block);
    match Resistance::of(label) {
        Resistance::Falls if fixed_key => {
            Some("every picture is scrambled the same way; anyone can reassemble them from a few".into())
        }
        Resistance::Falls if blocks < FEW_BLOCKS => {
            Some(format!("the picture has only {blocks} blocks, few enough to reassemble by trial"))
        }
        Resistance::Falls => Some(format!(
            "blocks of {block} pixels fit together like a jigsaw puzzle, nearly always from {LARGE_BLOCK} pixels up; \
             use --block 8"
        )),
        Resistance::Shows => Some(format!(
            "parts of a picture with {blocks} blocks of {block} pixels can be reassembled; hundreds of blocks of 8 \
             pixels show less"
        )),
        Resistance::Holds => None,
    }
}

fn decrypt(flags: &DecryptFlags, ui: &Ui) -> Result<()> {
    let (key, picture) = (Source::from(flags.key.as_os_str()), Source::from(flags.picture.as_os_str()));
    let original = flags.original.as_deref().map(Source::from);
    Source::check_one_stdin(&[&key, &picture].into_iter().chain(&original).collect::<Vec<_>>())?;
    let key = etc::wire::read_key(&flags.passphrase.read_key(&key)?)?;
    let bytes = picture.read(MAX_PHOTO_FILE, Code::ImageTooLarge)?;
    let label = match &flags.label {
        Some(label) => label.clone(),
        None => file::read_label(&bytes)?.ok_or_else(no_label)?,
    };
    let picture = Photo::decode(&bytes, &sheet_limits())?;
    let mut photo = etc::decrypt(&picture, &label, &key)?;
    photo.notices().iter().for_each(|notice| ui.note(notice.text()));
    let kept = || colours::find(Mark::Scrambled(label.nonce), original.is_some(), ui);
    let mut colour = (label.nonce != Nonce::FIXED).then(kept).flatten();
    if let Some(original) = original {
        let original = read_original(&original, Wanted::Keep, ui)?;
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
    if photo.alpha().is_some() && kind != PictureKind::Jpeg {
        ui.note("the picture gets the transparency of the original photo, which was not scrambled");
    }
    sink.write_whole(&flags.jpeg.picture(kind)?.encode(&photo, None, ui)?)?;
    ui.summary(&format!("unscrambled {} x {} pixels", photo.width(), photo.height()));
    Ok(())
}

impl EncryptFlags {
    /// The kind of the output and its JPEG settings.
    fn output(&self, kind: PictureKind) -> Result<Picture> {
        let kind = match kind {
            // Standard output has no name, so the JPEG flags decide.
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
    let message = "the file has no scrambling label, perhaps because a site removed it; give it with --label";
    Error::new(Code::BadHeader, message)
}

/// The side of a block, for every command on scrambled pictures.
pub(super) fn block_parser() -> RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(i64::from(*BLOCKS.start())..=i64::from(*BLOCKS.end()))
}

fn form_parser() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::as_str)).map(|name| Form::from_name(&name).unwrap_or(Form::Colour))
}
