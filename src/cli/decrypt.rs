//! `safelight decrypt`: decrypt an image to a picture file.

use std::ffi::OsString;
use std::io::Read as _;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::colours::{self, Mark, Wanted};
use super::encrypt::{lookup, read_original};
use super::files::{self, Sink, Source};
use super::filter;
use super::passphrase::PassphraseFlags;
use super::picture::{JpegFlags, PictureKind};
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::photo::{Colour, Photo, encode_png16};
use crate::schemes::paillier::origin::Origin;
use crate::schemes::paillier::stream::{self, DecryptOptions, Decrypted};
use crate::schemes::paillier::wire::image::Frames;
use crate::schemes::paillier::wire::key as key_file;
use crate::schemes::paillier::{Check, Encoding, Expectation, View};

/// Decrypt an encrypted image to a picture file
///
/// The output's name decides the format: .png, .jpg or .webp (lossless). PNG and WebP store exactly what was decrypted.
///
/// Results are verified, which needs the key that encrypted the photo: decryption fails if the server did anything other than
/// the result says, or left out, repeated, moved or reweighted a ciphertext. Use --expect to require a particular filter;
/// otherwise the server chooses which filter the result names. With --original, a random sample of pixels is compared too,
/// which shows whether anything was added to them. (If a browser encrypted a JPEG photo, compare it there: JPEG decoders round
/// samples differently, and this program would take every difference for a change.)
///
/// A photo that someone else encrypted with your public key cannot be verified; --from-others decrypts it with a warning.
///
/// The picture gets the colour profile that `encrypt` kept on this machine, or else the one in --original.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight decrypt --key my.key blurred.slt --out blurred.png
  safelight decrypt --key my.key blurred.slt --out blurred.png --expect 'gaussian sigma=2'
  safelight decrypt --key my.key edges.slt --out edges.png --view signed
  safelight decrypt --key my.key blurred.slt --out blurred.png --original photo.png

Views of values outside 0 to 255:
  clamp     below 0 is black, above 255 is white
  signed    half the value plus 128: 0 is mid-grey
  absolute  the value without its sign
  exact16   a 16-bit PNG of the value plus 32768, for exact work")]
pub(super) struct Flags {
    /// The secret key file that the photo was encrypted for
    #[arg(long, value_name = "KEY")]
    key: OsString,
    /// The encrypted image, or -
    image: OsString,
    /// The picture to write (.png, .jpg or .webp), or -
    #[arg(long, value_name = "OUT")]
    out: OsString,
    /// How to show values outside 0 to 255
    #[arg(long, default_value = "clamp", value_parser = view_parser())]
    view: View,
    /// Original photo, to compare pixels and to restore transparency and colour profile; repeat for the second photo of a blend
    #[arg(long, value_name = "PHOTO")]
    original: Vec<OsString>,
    /// With --original: how `encrypt` treated colours, keep or srgb [default: as recorded on this machine; else keep, or srgb
    /// if a public key encrypted the photo]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true, requires = "original")]
    colour: Option<Wanted>,
    /// Require exactly this filter, such as 'gaussian sigma=2'; repeat for several filters, in order
    ///
    /// For a blend, add the second photo's filters in brackets: 'blend share=30 [sharpen]'. An empty string means no filter.
    #[arg(long, value_name = "FILTER", conflicts_with_all = ["no_check", "from_others"])]
    expect: Vec<String>,
    /// Decrypt a photo that someone else encrypted with your public key; what the server did cannot be verified
    #[arg(long)]
    from_others: bool,
    /// Do not verify what the server did, for results of programs that change ciphertexts in other ways
    #[arg(long, conflicts_with_all = ["original", "from_others"])]
    no_check: bool,
    /// Read the key's tables in full, so that watching this machine's caches reveals nothing; takes twice as long
    #[arg(long)]
    scan_tables: bool,
    #[command(flatten)]
    jpeg: JpegFlags,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// The checked flags.
struct Job {
    key: Source,
    passphrase: PassphraseFlags,
    image: Source,
    out: OsString,
    jpeg: JpegFlags,
    originals: Vec<Source>,
    colour: Option<Wanted>,
    options: DecryptOptions,
}

impl Flags {
    fn check(self) -> Result<Job> {
        let (key, image) = (Source::from(self.key), Source::from(self.image));
        let originals: Vec<_> = self.original.into_iter().map(Source::from).collect();
        Source::check_one_stdin(&[&key, &image].into_iter().chain(&originals).collect::<Vec<_>>())?;
        let check = match (self.no_check, self.from_others) {
            (true, _) => Check::None,
            (_, true) => Check::WherePossible,
            _ => Check::Required,
        };
        let expect: Vec<_> = self.expect.iter().map(|text| filter::in_the_formats_words(text)).collect();
        let expect = (!expect.is_empty()).then(|| Expectation::new(&expect)).transpose()?;
        let options =
            DecryptOptions { view: self.view, check, expect, lookup: lookup(self.scan_tables), originals: Vec::new() };
        let (colour, jpeg) = (self.colour, self.jpeg);
        Ok(Job { key, passphrase: self.passphrase, image, out: self.out, jpeg, originals, colour, options })
    }
}

pub(super) fn run(flags: Flags, ui: &Ui) -> Result<()> {
    let job = flags.check()?;
    let key = key_file::read_secret(&job.passphrase.read_key(&job.key)?)?;
    let mut options = job.options;
    let mut input = job.image.open()?;
    let header = files::read_header(&mut *input)?.1;
    let origins = Frames::read(&header)?.head.origins;
    let mut input = std::io::Cursor::new(header).chain(input);
    let photos = Photos::read(&job.originals, job.colour, &origins, ui)?;
    options.originals = photos.originals;
    let alpha = options.originals.first().and_then(|photo| photo.alpha()).map(<[u8]>::to_vec);
    ui.catch_interrupts();
    let (sink, kind) = Sink::picture(&job.out)?;
    if options.view == View::Exact16 && kind != PictureKind::Png {
        let message = "only PNG can store exact16's 16-bit values; end the output's name in .png";
        return Err(Error::new(Code::BadArgument, message));
    }
    let output = job.jpeg.picture(kind)?;
    if alpha.is_some() && kind != PictureKind::Jpeg {
        ui.note("the picture gets the transparency of the original photo, which was neither encrypted nor filtered");
    }
    let (insisted, expected) = (options.check == Check::None, options.expect.is_some());
    let bar = ui.bar("decrypting", Unit::Rows);
    let Decrypted { head, canvas, verified } =
        stream::decrypt_image_with(&key, &mut input, options, &stream::Limits::OWN_FILES, &bar).map_err(with_flags)?;
    bar.clear();
    if !verified {
        ui.warn(if insisted {
            "not verified (--no-check): the server may have done anything to this picture"
        } else {
            "not verified: this key did not encrypt the photo, so the server may have done anything to the picture, \
             or replaced it"
        });
    }

    let (width, height, channels) = (head.layout.width, head.layout.height, head.layout.channels);
    let file = if canvas.view() == View::Exact16 {
        if beyond_16_bits(&head.encoding) {
            ui.note("exact16 clips values outside -32768 to 32767, which this picture may have");
        }
        encode_png16(width, height, channels, canvas.samples(), alpha.as_deref())?
    } else {
        let photo = Photo::from_samples(width, height, channels, canvas.samples8())?.with_colour(photos.colour);
        let photo = match alpha {
            Some(alpha) => photo.with_alpha(alpha)?,
            None => photo,
        };
        output.encode(&photo, None, ui)?
    };
    sink.write_whole(&file)?;
    let history = if head.history.is_empty() { "not filtered" } else { &head.history };
    let expected = if expected { ", as expected" } else { "" };
    let checked = match (verified, job.originals.is_empty()) {
        (true, true) => "; filter weights verified",
        (true, false) => "; filter weights and pixels verified",
        (false, false) => "; pixels compared",
        (false, true) => "; not verified",
    };
    ui.summary(&format!("decrypted {width} x {height} pixels ({history}{expected}{checked})"));
    Ok(())
}

/// Adds to the error the flags that decrypt without verification.
fn with_flags(error: Error) -> Error {
    match error.kind() {
        Code::NotVerifiable => {
            Error::new(Code::NotVerifiable, format!("{} (--from-others, --no-check)", error.message()))
        }
        _ => error,
    }
}

/// The originals of the encrypted photos, if given, and the colour space of the result.
struct Photos {
    originals: Vec<Photo>,
    /// The colour space of the result.
    colour: Colour,
}

impl Photos {
    /// Reads the originals, with their colours treated as they were for encryption. Without a flag or a record on this
    /// machine, the defaults of `encrypt` apply.
    fn read(sources: &[Source], said: Option<Wanted>, origins: &[Origin], ui: &Ui) -> Result<Self> {
        let mut originals = Vec::new();
        let mut colours = Vec::new();
        for (i, origin) in origins.iter().enumerate() {
            let source = sources.get(i);
            let kept = || colours::find(Mark::Encrypted(*origin), source.is_some(), ui);
            let kept = origin.is_known().then(kept).flatten();
            let Some(source) = source else {
                colours.push(kept.unwrap_or_default());
                continue;
            };
            let usual = if kept == Some(Colour::Srgb) || !origin.is_known() { Wanted::Srgb } else { Wanted::Keep };
            let photo = read_original(source, said.unwrap_or(usual), ui)?;
            colours.push(kept.filter(|_| said.is_none()).unwrap_or_else(|| photo.colour().clone()));
            originals.push(photo);
        }
        // Read surplus originals too: the comparison refuses them.
        for source in sources.iter().skip(origins.len()) {
            originals.push(read_original(source, said.unwrap_or(Wanted::Keep), ui)?);
        }
        let first = colours.first().cloned().unwrap_or_default();
        if colours.iter().any(|colour| *colour != first) {
            ui.note(
                "the photos have different colour profiles, and no profile fits the result; encrypt both with \
                 --colour srgb",
            );
            return Ok(Self { originals, colour: Colour::Srgb });
        }
        Ok(Self { originals, colour: first })
    }
}

fn beyond_16_bits(encoding: &Encoding) -> bool {
    let fits = |raw: i64| i16::try_from(encoding.pixel(raw + encoding.bias)).is_ok();
    !fits(encoding.low) || !fits(encoding.high)
}

fn view_parser() -> impl clap::builder::TypedValueParser<Value = View> {
    PossibleValuesParser::new(View::ALL.map(View::as_str)).try_map(|name| View::from_name(&name))
}
