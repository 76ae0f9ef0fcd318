//! `safelight encrypt`: a photo becomes an encrypted image.

use std::ffi::OsString;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::colours::{self, Mark, Wanted};
use super::files::{Care, Sink, Source};
use super::filter;
use super::passphrase::PassphraseFlags;
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::math::comb::Lookup;
use crate::photo::{Colour, Limits, Notice, Photo};
use crate::schemes::paillier::layout::{MAX_HALO, MAX_SLOT_BITS, bits_for};
use crate::schemes::paillier::stream;
use crate::schemes::paillier::wire::key as key_file;
use crate::schemes::paillier::{Border, Encoding, EncryptOptions, EncryptionKey, Filter};

/// The longest photo file that is read, in bytes.
pub(super) const MAX_PHOTO_FILE: u64 = 512 << 20;

/// Encrypt a photo (PNG, JPEG or WebP)
///
/// Every tile of the photo is encrypted with a margin of neighbouring pixels, which decides how far a filter can reach. The
/// default margin fits a filter of radius 1 (3x3).
///
/// A photo's colour profile is never sent. With your own secret key, it is kept on this machine for 400 days, and `decrypt`
/// writes it into the picture. The folder is `$SAFELIGHT_HOME/colours` or `$XDG_DATA_HOME/safelight/colours`
/// (~/.local/share/safelight/colours); you can delete it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight encrypt --key my.key photo.png --out photo.slt
  safelight encrypt --key my.key photo.jpg --out photo.slt --for 'gaussian sigma=2'
  safelight encrypt --key her.pub photo.webp --out for-her.slt --radius 3 --border reflect
  safelight encrypt --key my.key photo.jpg --out photo.slt --colour srgb")]
pub(super) struct Flags {
    /// Key file to encrypt with: secret (faster) or public
    #[arg(long, value_name = "KEY_OR_PUB")]
    key: OsString,
    /// The photo, or -
    photo: OsString,
    /// The encrypted image to write, or -
    #[arg(long, value_name = "OUT.slt")]
    out: OsString,
    /// Reach of the filter in pixels [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=i64::from(MAX_HALO)))]
    radius: Option<u16>,
    /// Separate horizontal and vertical reach
    #[arg(long, value_name = "WxH", value_parser = parse_halo, conflicts_with = "radius")]
    halo: Option<(u16, u16)>,
    /// Pixels outside the photo: the nearest edge pixel; the photo mirrored, edge pixel not repeated; or black
    ///
    /// `reflect` continues a row a b c with b a, like numpy's reflect, `cv2.BORDER_REFLECT_101` and scipy's mirror.
    #[arg(long, default_value = "replicate", value_parser = border_parser())]
    border: Border,
    /// Bits per sample, 8 to 48, with room for the filter's weights [default: enough for a Gaussian of this radius]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(8..=i64::from(MAX_SLOT_BITS)))]
    slot_bits: Option<u8>,
    /// Fit reach and bits exactly to this filter, such as 'mean radius=2'; repeat for several filters in a row
    #[arg(long = "for", value_name = "FILTER", conflicts_with_all = ["radius", "halo", "slot_bits"])]
    filters: Vec<String>,
    /// Colours other than sRGB: keep the samples, and the profile on this machine; or convert to sRGB [default: keep with a
    /// secret key, srgb with a public key]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true)]
    colour: Option<Wanted>,
    /// Read the key's tables in full, so that watching this machine's caches reveals nothing; takes twice as long
    #[arg(long)]
    scan_tables: bool,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// The checked flags.
struct Job {
    key: Source,
    passphrase: PassphraseFlags,
    photo: Source,
    out: OsString,
    colour: Option<Wanted>,
    options: EncryptOptions,
}

impl Flags {
    fn check(self) -> Result<Job> {
        let (key, photo) = (Source::from(self.key), Source::from(self.photo));
        Source::check_one_stdin(&[&key, &photo])?;
        let mut options = if self.filters.is_empty() {
            let halo = self.halo.or(self.radius.map(|n| (n, n))).unwrap_or((1, 1));
            let mut options = EncryptOptions::for_halo(halo, self.border);
            options.slot_bits = self.slot_bits.unwrap_or(options.slot_bits);
            options
        } else {
            let filters = self.filters.iter().map(|text| filter::from_text(text)).collect::<Result<Vec<_>>>()?;
            options_for(&filters, self.border)?
        };
        options.lookup = lookup(self.scan_tables);
        Ok(Job { key, passphrase: self.passphrase, photo, out: self.out, colour: self.colour, options })
    }
}

/// How the key's tables are read.
pub(super) fn lookup(scan_tables: bool) -> Lookup {
    if scan_tables { Lookup::Scan } else { Lookup::Direct }
}

/// The options that exactly fit these filters, applied in this order.
fn options_for(filters: &[Filter], border: Border) -> Result<EncryptOptions> {
    let mut options = EncryptOptions { border, halo: (0, 0), slot_bits: 8, lookup: Lookup::Direct };
    let mut encoding = Encoding::SAMPLES;
    for filter in filters {
        let (x, y) = filter.radius();
        let halo = options.halo.0.checked_add(x).zip(options.halo.1.checked_add(y));
        options.halo = halo.filter(|&(x, y)| x.max(y) <= MAX_HALO).ok_or_else(|| {
            Error::new(Code::BadFilter, format!("these filters together reach farther than {MAX_HALO} pixels"))
        })?;
        // For a filter of two images, assume that the second is like the first.
        encoding = filter.apply(&vec![encoding; filter.inputs()])?;
        options.slot_bits = options.slot_bits.max(bits_for(encoding.high + encoding.bias));
    }
    if options.slot_bits > MAX_SLOT_BITS {
        return Err(Error::new(Code::SlotOverflow, "no slot is wide enough for these filters; use smaller weights"));
    }
    Ok(options)
}

pub(super) fn run(flags: Flags, ui: &Ui) -> Result<()> {
    let job = flags.check()?;
    let key = key_file::read_encryption_key(&job.passphrase.read_key(&job.key)?)?;
    // An image carries the number that identifies its profile only if the key derives its masks.
    let owner = matches!(&key, EncryptionKey::Owner(key) if key.derives_masks());
    let wanted = job.colour.unwrap_or(if owner { Wanted::Keep } else { Wanted::Srgb });
    let Read { photo, mark_as } = read_photo(&job.photo, wanted, ui)?;
    if photo.alpha().is_some() {
        ui.note("keep the photo: `decrypt --original` puts its transparency into the picture");
    }
    ui.catch_interrupts();
    let mut sink = Sink::create(&job.out, Care::Binary)?;
    let bar = ui.bar("encrypting", Unit::Rows);
    let head = stream::encrypt_image(key, &photo, &job.options, &mut sink, &bar)?;
    bar.clear();
    match (mark_as, head.origins.first()) {
        (colour, Some(&origin)) if origin.is_known() => {
            colours::keep(Mark::Encrypted(origin), &colour.unwrap_or_default(), ui);
        }
        (Some(colour), _) if colour != Colour::Srgb => {
            ui.note("the photo's colour profile is not sent; to restore it, decrypt with --original and the photo");
        }
        _ => {}
    }
    sink.finish()?;
    let layout = &head.layout;
    ui.summary(&format!(
        "encrypted {} x {} pixels under key {} with room for a radius of {} x {}",
        layout.width,
        layout.height,
        head.key.id(),
        layout.halo.0,
        layout.halo.1
    ));
    Ok(())
}

/// A photo that was read.
pub(super) struct Read {
    pub(super) photo: Photo,
    /// The colour space of the samples now, if the file was not in sRGB.
    pub(super) mark_as: Option<Colour>,
}

/// Reads and decodes a photo, converts it if requested, and shows notes about losses.
pub(super) fn read_photo(source: &Source, wanted: Wanted, ui: &Ui) -> Result<Read> {
    let read = read_quietly(source, wanted)?;
    read.photo.notices().iter().for_each(|notice| ui.note(notice.text()));
    Ok(read)
}

/// Reads the original of a result. Shows no note about its transparency, which the result gets from it.
pub(super) fn read_original(source: &Source, wanted: Wanted, ui: &Ui) -> Result<Photo> {
    let photo = read_quietly(source, wanted)?.photo;
    let told = photo.notices().iter().filter(|&&notice| notice != Notice::AlphaKeptAside);
    told.for_each(|notice| ui.note(notice.text()));
    Ok(photo)
}

fn read_quietly(source: &Source, wanted: Wanted) -> Result<Read> {
    let bytes = source.read(MAX_PHOTO_FILE, Code::ImageTooLarge)?;
    let mut photo = Photo::decode(&bytes, &Limits::default())?;
    let plain = photo.colour().is_srgb();
    if plain {
        photo = photo.with_colour(Colour::Srgb);
    } else if wanted == Wanted::Srgb {
        photo = photo.into_srgb();
    }
    let mark_as = (!plain).then(|| photo.colour().clone());
    Ok(Read { photo, mark_as })
}

fn border_parser() -> impl clap::builder::TypedValueParser<Value = Border> {
    PossibleValuesParser::new(Border::ALL.map(Border::as_str)).try_map(|name| Border::from_name(&name))
}

fn parse_halo(text: &str) -> Result<(u16, u16), String> {
    let side = |text: &str| text.parse().ok().filter(|&n: &u16| n <= MAX_HALO);
    text.split_once('x')
        .and_then(|(x, y)| side(x).zip(side(y)))
        .ok_or_else(|| format!("write two numbers from 0 to {MAX_HALO}, such as 3x1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_in_a_row_add_up() {
        let filters = ["mean size=3x5", "sobel-x"].map(|text| filter::from_text(text).expect(text));
        let options = options_for(&filters, Border::Zero).expect("options");
        assert_eq!(options.halo, (2, 3));
        // A sum of 15 samples, then weights 4 and -4: -15300 to 15300.
        assert_eq!(options.slot_bits, bits_for(30_600));
        let one = options_for(&filters[..1], Border::Zero).expect("options");
        assert_eq!(one, EncryptOptions::for_filter(&filters[0], Border::Zero).expect("options"));
        let far = vec![filter::from_text("mean radius=600").expect("filter"); 2];
        assert!(options_for(&far, Border::Zero).is_err());
    }

    #[test]
    fn halos_are_two_numbers() {
        assert_eq!(parse_halo("3x1"), Ok((3, 1)));
        for text in ["3", "x", "3x", "1025x0", "-1x1", "1x1x1"] {
            assert!(parse_halo(text).is_err(), "{text}");
        }
    }
}
