//! Picture files to write: the output's name decides the format.

use std::ffi::OsStr;
use std::path::Path;

#[cfg(feature = "client")]
pub(super) use self::encoding::{JpegFlags, Picture};
use crate::error::{Code, Error, Result};

/// Extensions of picture files, whether this program writes them or not.
const PICTURES: [&str; 15] =
    ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "jxl", "apng"];

/// A kind of picture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureKind {
    /// Lossless, also for values of more than 8 bits.
    Png,
    /// Small but lossy, without transparency.
    Jpeg,
    /// The lossless form.
    WebP,
}

impl PictureKind {
    /// The kind that an output's name indicates: PNG for standard output and for names without an extension.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for any other extension.
    pub(super) fn of(name: &OsStr) -> Result<Self> {
        let webp = if cfg!(feature = "webp") { ", .webp" } else { "" };
        Self::among(name, webp)
    }

    /// The kind of a scrambled picture: as [`Self::of`], but never WebP.
    ///
    /// # Errors
    /// As [`Self::of`].
    #[cfg(feature = "client")]
    pub(super) fn of_scrambled(name: &OsStr) -> Result<Self> {
        Self::among(name, "")
    }

    fn among(name: &OsStr, webp: &str) -> Result<Self> {
        let path = Path::new(name);
        let bare = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix('.'));
        if bare.is_some_and(|ending| PICTURES.contains(&ending.to_ascii_lowercase().as_str())) {
            let message = format!("{} is an ending without a name; write it as in picture.png", path.display());
            return Err(Error::new(Code::BadArgument, message));
        }
        let Some(ending) = path.extension() else { return Ok(Self::Png) };
        match ending.to_string_lossy().to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" | "jpe" | "jfif" => Ok(Self::Jpeg),
            "webp" if cfg!(feature = "webp") => Ok(Self::WebP),
            _ => Err(Error::new(Code::BadArgument, {
                let name = Path::new(name).display();
                format!("{name} is not a supported picture name; end it in .png, .jpg{webp}, or use no extension")
            })),
        }
    }
}

/// Fails if an output that is not a picture has a picture's name.
///
/// # Errors
/// [`Code::BadArgument`].
pub(super) fn check_no_picture(name: &Path) -> Result<()> {
    let ending = name.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    if !PICTURES.contains(&ending.as_str()) {
        return Ok(());
    }
    let message =
        format!("{} is a picture's name, but this output is not a picture; choose another extension", name.display());
    Err(Error::new(Code::BadArgument, message))
}

#[cfg(feature = "client")]
mod encoding {
    use clap::Args;
    use clap::builder::{PossibleValuesParser, TypedValueParser};

    use super::PictureKind;
    use crate::cli::ui::Ui;
    use crate::error::{Code, Error, Result};
    use crate::photo::{Colour, Photo};
    use crate::schemes::etc::Label;
    use crate::schemes::etc::file::{self, Jpeg, Subsampling};

    /// How JPEG files are made.
    #[derive(Args)]
    pub(in crate::cli) struct JpegFlags {
        /// JPEG quality, 1 to 100 [default: 85]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
        quality: Option<u8>,
        /// JPEG chroma subsampling [default: 444]
        #[arg(long, value_parser = subsampling_parser())]
        subsampling: Option<Subsampling>,
    }

    /// A picture file to be written.
    pub(in crate::cli) struct Picture {
        kind: PictureKind,
        jpeg: Jpeg,
    }

    impl JpegFlags {
        /// Whether any of these flags was given.
        pub(in crate::cli) const fn any(&self) -> bool {
            self.quality.is_some() || self.subsampling.is_some()
        }

        /// The settings for a picture file of this kind.
        ///
        /// # Errors
        /// [`Code::BadArgument`] if these flags are given for a file other than JPEG.
        pub(in crate::cli) fn picture(&self, kind: PictureKind) -> Result<Picture> {
            if self.any() && kind != PictureKind::Jpeg {
                let message = "--quality and --subsampling apply to JPEG only; name the output something.jpg";
                return Err(Error::new(Code::BadArgument, message));
            }
            let preset = Jpeg::default();
            let jpeg = Jpeg {
                quality: self.quality.unwrap_or(preset.quality),
                subsampling: self.subsampling.unwrap_or(preset.subsampling),
                ..preset
            };
            Ok(Picture { kind, jpeg })
        }
    }

    impl Picture {
        /// Encodes the file, and shows notes about information that its format cannot store. JPEG and WebP can describe
        /// colours only with ICC profiles, so photos with any other description are converted.
        pub(in crate::cli) fn encode(&self, photo: &Photo, label: Option<&Label>, ui: &Ui) -> Result<Vec<u8>> {
            let converted;
            let photo = match (self.kind, photo.colour()) {
                (PictureKind::Png, _) | (_, Colour::Srgb) => photo,
                (_, Colour::Icc(_)) => {
                    converted = for_its_profile(photo)?;
                    &converted
                }
                _ => {
                    converted = photo.clone().into_srgb();
                    let told = converted.notices().iter().filter(|notice| !photo.notices().contains(notice));
                    told.for_each(|notice| ui.note(notice.text()));
                    &converted
                }
            };
            match self.kind {
                PictureKind::Png => file::encode_png(photo, label),
                PictureKind::Jpeg if photo.alpha().is_some() => {
                    ui.note("JPEG has no transparency: the photo is drawn on white; use .png or .webp to keep it");
                    file::encode_jpeg(&on_white(photo)?, label, self.jpeg)
                }
                PictureKind::Jpeg => file::encode_jpeg(photo, label, self.jpeg),
                PictureKind::WebP => webp(photo),
            }
        }
    }

    #[cfg(feature = "webp")]
    fn webp(photo: &Photo) -> Result<Vec<u8>> {
        crate::photo::encode_webp(photo)
    }

    #[cfg(not(feature = "webp"))]
    fn webp(_: &Photo) -> Result<Vec<u8>> {
        Err(Error::new(Code::BadArgument, "this build has no support for WebP; use .png or .jpg"))
    }

    /// The photo on a white background.
    fn on_white(photo: &Photo) -> Result<Photo> {
        let Some(alpha) = photo.alpha() else { return Ok(photo.clone()) };
        let over = |sample: u8, alpha: u8| {
            let (sample, alpha) = (u16::from(sample), u16::from(alpha));
            u8::try_from((sample * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
        };
        let pixels = photo.samples().chunks_exact(photo.channels().into()).zip(alpha);
        let samples = pixels.flat_map(|(pixel, &alpha)| pixel.iter().map(move |&sample| over(sample, alpha)));
        let white = Photo::from_samples(photo.width(), photo.height(), photo.channels(), samples.collect())?;
        Ok(white.with_colour(photo.colour().clone()))
    }

    /// Converts a grey photo to red, green and blue if its profile is for these.
    fn for_its_profile(photo: &Photo) -> Result<Photo> {
        if photo.channels() == 3 || !photo.colour().needs_rgb() {
            return Ok(photo.clone());
        }
        let samples = photo.samples().iter().flat_map(|&grey| [grey; 3]).collect();
        let three = Photo::from_samples(photo.width(), photo.height(), 3, samples)?.with_colour(photo.colour().clone());
        match photo.alpha() {
            Some(alpha) => three.with_alpha(alpha.to_vec()),
            None => Ok(three),
        }
    }

    fn subsampling_parser() -> impl TypedValueParser<Value = Subsampling> {
        PossibleValuesParser::new(Subsampling::ALL.map(Subsampling::as_str))
            .map(|name| Subsampling::from_name(&name).unwrap_or(Subsampling::Full))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_or_are_refused() {
        let of = |name: &str| PictureKind::of(OsStr::new(name)).ok();
        for (names, kind) in [
            (&["a.png", "A.PNG", "-", "plain", "/dev/null", "a.b/c"][..], PictureKind::Png),
            (&["a.jpg", "a.JPEG", "a.jpe", "a.jfif"], PictureKind::Jpeg),
        ] {
            assert!(names.iter().all(|name| of(name) == Some(kind)), "{names:?}");
        }
        assert_eq!(of("a.webp"), cfg!(feature = "webp").then_some(PictureKind::WebP));
        for name in ["a.gif", "a.tiff", "a.heic", "a.slt", "a.png.gif", "a."] {
            assert_eq!(of(name), None, "{name}");
        }
        for name in ["a.slt", "a", "a.key", "a.json", "png"] {
            assert!(check_no_picture(Path::new(name)).is_ok(), "{name}");
        }
        for name in ["a.png", "a.JPG", "a.gif", "a.slt.webp"] {
            assert!(check_no_picture(Path::new(name)).is_err(), "{name}");
        }
    }
}
