//! `safelight decrypt`: an encrypted image becomes a picture.

use std::ffi::OsString;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::encrypt::read_photo;
use super::files::{Care, Sink, Source};
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::paillier::{Encoding, View};
use crate::photo::{encode_png, encode_png16};
use crate::pipeline;
use crate::wire::key as key_file;

/// Decrypt an encrypted image to a PNG file
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight decrypt --key my.key blurred.slt --out blurred.png
  safelight decrypt --key my.key edges.slt --out edges.png --view signed
  safelight decrypt --key my.key blurred.slt --out blurred.png --alpha-from photo.png

Views of values outside 0 to 255:
  clamp     below 0 is black, above 255 is white
  signed    half the value and 128: 0 is middle grey
  absolute  the size without the sign
  exact16   a 16-bit PNG with the value and 32768, for exact work")]
pub(super) struct Flags {
    /// The secret key file that the photo was encrypted for
    #[arg(long, value_name = "KEY")]
    key: OsString,
    /// The encrypted image, or -
    image: OsString,
    /// The PNG file to write, or -
    #[arg(long, value_name = "OUT.png")]
    out: OsString,
    /// How values outside 0 to 255 are shown
    #[arg(long, default_value = "clamp", value_parser = view_parser())]
    view: View,
    /// The original photo, whose transparency is put back
    #[arg(long, value_name = "PHOTO")]
    alpha_from: Option<OsString>,
}

/// The flags, checked.
struct Job {
    key: Source,
    image: Source,
    out: OsString,
    view: View,
    alpha_from: Option<Source>,
}

impl Flags {
    fn check(self) -> Result<Job> {
        let (key, image) = (Source::from(self.key), Source::from(self.image));
        let alpha_from = self.alpha_from.map(Source::from);
        Source::check_one_stdin(
            &[Some(&key), Some(&image), alpha_from.as_ref()].into_iter().flatten().collect::<Vec<_>>(),
        )?;
        Ok(Job { key, image, out: self.out, view: self.view, alpha_from })
    }
}

pub(super) fn run(flags: Flags, ui: &Ui) -> Result<()> {
    let job = flags.check()?;
    let key = key_file::read_secret(&job.key.read_key()?)?;
    let original = job.alpha_from.as_ref().map(|source| read_photo(source, ui)).transpose()?;
    let mut input = job.image.open()?;
    ui.catch_interrupts();
    let sink = Sink::create(&job.out, Care::Binary)?;
    let bar = ui.bar("decrypting", Unit::Rows);
    let (head, canvas) = pipeline::decrypt_image(&key, &mut *input, job.view, &super::LIMITS, &bar)?;
    bar.clear();

    let (width, height, channels) = (head.layout.width, head.layout.height, head.layout.channels);
    if original.as_ref().is_some_and(|photo| (photo.width(), photo.height()) != (width, height)) {
        return Err(Error::new(
            Code::ImagesDiffer,
            format!("the photo given for its transparency is not {width} x {height} pixels; give the original"),
        ));
    }
    let alpha = original.as_ref().and_then(|photo| photo.alpha());
    let png = if job.view == View::Exact16 {
        if beyond_16_bits(&head.encoding) {
            ui.note("values may lie outside -32768 to 32767, where exact16 cuts them off");
        }
        encode_png16(width, height, channels, canvas.samples(), alpha)?
    } else {
        encode_png(width, height, channels, &canvas.samples8(), alpha)?
    };
    sink.write_whole(&png)?;
    let history = if head.history.is_empty() { "not filtered" } else { &head.history };
    ui.summary(&format!("decrypted {width} x {height} pixels ({history})"));
    Ok(())
}

fn beyond_16_bits(encoding: &Encoding) -> bool {
    let fits = |raw: i64| i16::try_from(encoding.pixel(raw + encoding.bias)).is_ok();
    !fits(encoding.low) || !fits(encoding.high)
}

fn view_parser() -> impl clap::builder::TypedValueParser<Value = View> {
    PossibleValuesParser::new(View::ALL.map(View::as_str)).try_map(|name| View::from_name(&name))
}
