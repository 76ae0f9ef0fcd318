//! Converts samples from the colour space of a photo to sRGB: relative colorimetric, without black point compensation.

use std::sync::{Arc, LazyLock};

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    MatrixCoefficients, ParsingOptions, RenderingIntent, TransferCharacteristics, TransformF32Executor,
    TransformOptions,
};

use super::curve::{Curve, Hdr, WHITE, of_tone, power, transfer};
use super::{Coded, Colour, MAX_PROFILE, Measured};
use crate::photo::{Notice, Photo};

/// Linear light further than this outside of 0 to 1 is a colour outside sRGB; anything nearer is due to rounding.
const TOLERANCE: f32 = 0.001;
/// The number of pixels to convert at a time.
const AT_A_TIME: usize = 4096;

impl Colour {
    /// Whether it is effectively sRGB: no sample would change by more than one unit. Many photos have an sRGB profile.
    #[must_use]
    pub fn is_srgb(&self) -> bool {
        if *self == Self::Srgb {
            return true;
        }
        let Some(conversion) = Conversion::new(self) else { return false };
        let steps = || (0..=255u8).step_by(17);
        let greys = (0..=255u8).flat_map(|grey| [grey; 3]);
        let colours = steps().flat_map(|r| steps().flat_map(move |g| steps().flat_map(move |b| [r, g, b])));
        let samples: Vec<u8> = greys.chain(colours).collect();
        let mut out = samples.clone();
        conversion.apply(&mut out);
        samples.iter().zip(&out).all(|(a, b)| a.abs_diff(*b) <= 1)
    }
}

impl Photo {
    /// Converts the picture to sRGB. Notices report the conversion and its losses: colours outside sRGB become the nearest
    /// ones, separately in red, green and blue.
    #[must_use]
    pub fn into_srgb(mut self) -> Self {
        let colour = std::mem::take(&mut self.colour);
        if colour.is_srgb() {
            return self;
        }
        let Some(conversion) = Conversion::new(&colour) else {
            self.notice(Notice::ProfileUnusable);
            return self;
        };
        self.notices.retain(|&notice| notice != Notice::HdrIn8Bit);
        let clipped = if self.channels == 3 { conversion.apply(&mut self.samples) } else { self.grey(&conversion) };
        self.notice(Notice::ConvertedToSrgb);
        match (conversion.hdr, clipped) {
            (Some(_), _) => self.notice(Notice::HdrReduced),
            (None, true) => self.notice(Notice::ColoursClipped),
            (None, false) => {}
        }
        self
    }

    /// Converts grey samples. Returns whether a sample in use has no equivalent in sRGB.
    fn grey(&mut self, conversion: &Conversion) -> bool {
        let table: Vec<(u8, bool)> = (0..=255u8)
            .map(|grey| {
                let mut pixel = [grey; 3];
                let clipped = conversion.apply(&mut pixel);
                (pixel[1], clipped)
            })
            .collect();
        let mut clipped = false;
        for sample in &mut self.samples {
            let (grey, lost) = table[usize::from(*sample)];
            *sample = grey;
            clipped |= lost;
        }
        clipped
    }

    fn notice(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }
}

/// A conversion of samples to sRGB.
struct Conversion {
    first: First,
    /// Converts linear light to linear light of sRGB.
    matrix: [[f32; 3]; 3],
    hdr: Option<Hdr>,
}

/// The sRGB samples for 65,536 steps of linear light.
static SAMPLES: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..=u16::MAX).map(|light| srgb_sample(f32::from(light) / 65_535.0)).collect());

/// How to convert samples to linear light.
enum First {
    /// Tables for red, green and blue that contain the light of each sample.
    Tables(Box<[[f32; 256]; 3]>),
    /// A profile with more than curves and colorants, converted to linear light of ACES 2065-1, which contains all colours.
    Profile(Arc<TransformF32Executor>),
}

impl Conversion {
    fn new(colour: &Colour) -> Option<Self> {
        let srgb = ColorProfile::new_srgb();
        let (first, matrix, hdr) = match colour {
            Colour::Srgb => return None,
            Colour::Coded(coded) => of_coded(*coded, &srgb)?,
            Colour::Measured(measured) => of_measured(*measured, &srgb)?,
            Colour::Icc(profile) => of_profile(profile, &srgb)?,
        };
        let finite = matrix.iter().flatten().all(|number| number.is_finite());
        finite.then_some(Self { first, matrix, hdr })
    }

    /// Converts pixels of red, green and blue. Returns whether there was a colour outside sRGB.
    fn apply(&self, samples: &mut [u8]) -> bool {
        let mut clipped = false;
        let mut light = Vec::new();
        for samples in samples.chunks_mut(3 * AT_A_TIME) {
            self.linear(samples, &mut light);
            let pixels = samples.as_chunks_mut::<3>().0;
            for (pixel, light) in pixels.iter_mut().zip(light.as_chunks::<3>().0) {
                let light = if self.hdr == Some(Hdr::Hlg) { hlg_display(*light) } else { *light };
                for (sample, row) in pixel.iter_mut().zip(&self.matrix) {
                    let value = row[0] * light[0] + row[1] * light[1] + row[2] * light[2];
                    clipped |= !(-TOLERANCE..=1.0 + TOLERANCE).contains(&value);
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
                    let step = (value * 65_535.0 + 0.5) as u16;
                    *sample = SAMPLES[usize::from(step)];
                }
            }
        }
        clipped
    }

    fn linear(&self, samples: &[u8], light: &mut Vec<f32>) {
        light.clear();
        match &self.first {
            First::Tables(tables) => {
                let of = |(i, &sample): (usize, &u8)| tables[i % 3][usize::from(sample)];
                light.extend(samples.iter().enumerate().map(of));
            }
            First::Profile(transform) => {
                let input: Vec<f32> = samples.iter().map(|&sample| f32::from(sample) / 255.0).collect();
                light.resize(samples.len(), 0.0);
                // This fails only if the lengths are not those of whole pixels.
                if transform.transform(&input, light).is_err() {
                    light.fill(0.0);
                }
            }
        }
    }
}

type Steps = (First, [[f32; 3]; 3], Option<Hdr>);

fn of_coded(coded: Coded, srgb: &ColorProfile) -> Option<Steps> {
    let mut source = ColorProfile::new_srgb();
    if coded.primaries != 1 {
        source = ColorProfile::new_from_cicp(CicpProfile {
            color_primaries: CicpColorPrimaries::try_from(coded.primaries).ok()?,
            transfer_characteristics: TransferCharacteristics::Linear,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        });
        source.is_matrix_shaper().then_some(())?;
    }
    let (curve, hdr) = transfer(coded.transfer)?;
    let value = |sample: u8| {
        let sample = f32::from(sample);
        if coded.full_range { sample / 255.0 } else { ((sample - 16.0) / 219.0).clamp(0.0, 1.0) }
    };
    Some((tables([&curve; 3], value), linear_matrix(&source, srgb), hdr))
}

fn of_measured(measured: Measured, srgb: &ColorProfile) -> Option<Steps> {
    let mut source = ColorProfile::new_srgb();
    if let Some(places) = measured.chromaticities {
        #[expect(clippy::cast_precision_loss, reason = "they are below 2^17")]
        let [wx, wy, rx, ry, gx, gy, bx, by] = places.map(|place| place as f32 / 100_000.0);
        let at = Chromaticity::new;
        let primaries = ColorPrimaries { red: at(rx, ry), green: at(gx, gy), blue: at(bx, by) };
        source.update_rgb_colorimetry(at(wx, wy).to_xyyb(), primaries);
    }
    let value = |sample: u8| f32::from(sample) / 255.0;
    let first = if let Some(gamma) = measured.gamma {
        #[expect(clippy::cast_precision_loss, reason = "it is below 2^24")]
        let exponent = 100_000.0 / gamma as f32;
        let curve: Curve = Box::new(move |value: f32| power(value, exponent));
        tables([&curve; 3], value)
    } else {
        tables([&transfer(13)?.0; 3], value)
    };
    Some((first, linear_matrix(&source, srgb), None))
}

fn of_profile(bytes: &[u8], srgb: &ColorProfile) -> Option<Steps> {
    let options = ParsingOptions {
        max_profile_size: MAX_PROFILE + 1,
        max_allowed_clut_size: MAX_PROFILE,
        max_allowed_trc_size: 65_536,
    };
    let source = ColorProfile::new_from_slice_with_options(bytes, options).ok()?;
    // The library uses the table of the intent that it is given, and no other.
    let intents = [
        (&source.lut_a_to_b_colorimetric, RenderingIntent::RelativeColorimetric),
        (&source.lut_a_to_b_perceptual, RenderingIntent::Perceptual),
        (&source.lut_a_to_b_saturation, RenderingIntent::Saturation),
    ];
    let intent = intents.into_iter().find(|(table, _)| table.is_some()).map(|(_, intent)| intent);
    let value = |sample: u8| f32::from(sample) / 255.0;
    if source.color_space == DataColorSpace::Gray {
        let curve = of_tone(source.gray_trc.as_ref()?)?;
        return Some((tables([&curve; 3], value), UNCHANGED, None));
    }
    if source.color_space != DataColorSpace::Rgb {
        return None;
    }
    // The curves of a profile do not describe brightness beyond white.
    if let Some(cicp) = source.cicp.filter(|_| source.is_matrix_shaper())
        && let Some((curve, Some(hdr))) = transfer(cicp.transfer_characteristics as u8)
    {
        return Some((tables([&curve; 3], value), linear_matrix(&source, srgb), Some(hdr)));
    }
    if source.is_matrix_shaper() && intent.is_none() {
        let [r, g, b] = [&source.red_trc, &source.green_trc, &source.blue_trc];
        let curves = [of_tone(r.as_ref()?)?, of_tone(g.as_ref()?)?, of_tone(b.as_ref()?)?];
        return Some((tables([&curves[0], &curves[1], &curves[2]], value), linear_matrix(&source, srgb), None));
    }
    let wide = ColorProfile::new_aces_aces_2065_1_linear();
    let options = TransformOptions {
        rendering_intent: intent?,
        allow_use_cicp_transfer: false,
        prefer_fixed_point: false,
        ..TransformOptions::default()
    };
    let transform = source.create_transform_f32(Layout::Rgb, &wide, Layout::Rgb, options).ok()?;
    Some((First::Profile(transform), linear_matrix(&wide, srgb), None))
}

const UNCHANGED: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

fn tables(curves: [&Curve; 3], value: impl Fn(u8) -> f32) -> First {
    let mut tables = Box::new([[0.0; 256]; 3]);
    for (table, curve) in tables.iter_mut().zip(curves) {
        for (sample, light) in (0..=255u8).zip(table.iter_mut()) {
            let found = curve(value(sample));
            *light = if found.is_finite() { found } else { 0.0 };
        }
    }
    First::Tables(tables)
}

/// The matrix from linear light of one profile's colorants to that of another's.
#[expect(clippy::cast_possible_truncation, reason = "samples have 8 bits")]
fn linear_matrix(from: &ColorProfile, to: &ColorProfile) -> [[f32; 3]; 3] {
    from.transform_matrix(to).v.map(|row| row.map(|number| number as f32))
}

/// ITU-R BT.2100: the light of a scene as a display of 1000 candela per square metre shows it.
fn hlg_display(light: [f32; 3]) -> [f32; 3] {
    let [r, g, b] = light;
    let luminance = 0.2627 * r + 0.678 * g + 0.0593 * b;
    let factor = 1000.0 / WHITE * power(luminance.max(0.0), 0.2);
    light.map(|light| light * factor)
}

/// The sample for linear light from 0 to 1.
fn srgb_sample(light: f32) -> u8 {
    let value = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * power(light, 1.0 / 2.4) - 0.055 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is from 0 to 255")]
    let sample = (value * 255.0).round().clamp(0.0, 255.0) as u8;
    sample
}
