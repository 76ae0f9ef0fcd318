//! Pictures for tests that resemble photos statistically: clouds of all sizes, weaker the finer they are, in colours that go
//! together, behind objects with sharp edges.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::Photo;

/// Makes the picture with this number.
pub(crate) fn natural(width: u32, height: u32, channels: u8, number: u32) -> Photo {
    let light = |x: u32, y: u32| clouds(x, y, number) * 0.8 + things(x, y, number) * 0.35 - 0.1;
    let tint = |x: u32, y: u32, c: u32| clouds(x / 2, y / 2, number + 1000 * (c + 1)) - 0.5;
    let sample = |x: u32, y: u32, c: u32| {
        let tint = if channels == 3 { 0.5 * tint(x, y, c) + 0.12 * (1.0 - f64::from(c)) } else { 0.0 };
        (255.0 * (light(x, y) + tint)).round().clamp(0.0, 255.0) as u8
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let samples = places.flat_map(|(x, y)| (0..channels.into()).map(move |c| sample(x, y, c))).collect();
    Photo::from_samples(width, height, channels, samples).expect("a photo")
}

/// Noise of all wavelengths from 64 pixels to 2, each octave with half the strength of the previous one. From 0 to 1.
fn clouds(x: u32, y: u32, seed: u32) -> f64 {
    let (mut sum, mut strength) = (0.0, 0.5);
    for octave in 0..6u32 {
        let wavelength = 64 >> octave;
        let corner = |i: u32, j: u32| random(x / wavelength + i, y / wavelength + j, seed + 77 * octave);
        let ease = |at: u32| {
            let t = f64::from(at % wavelength) / f64::from(wavelength);
            t * t * (3.0 - 2.0 * t)
        };
        let mix = |a: f64, b: f64, t: f64| a + (b - a) * t;
        let (across, down) = (ease(x), ease(y));
        sum += strength * mix(mix(corner(0, 0), corner(1, 0), across), mix(corner(0, 1), corner(1, 1), across), down);
        strength /= 2.0;
    }
    sum
}

/// Five discs, each brighter than the previous one.
fn things(x: u32, y: u32, seed: u32) -> f64 {
    let disc = |i: u32| {
        let place = |k: u32| random(i, k, seed ^ 0x5eed) * 256.0;
        let radius = 12.0 + 40.0 * random(i, 2, seed);
        (f64::from(x) - place(0)).hypot(f64::from(y) - place(1)) < radius
    };
    (0..5).filter(|&i| disc(i)).map(|i| f64::from(i + 1) / 5.0).next_back().unwrap_or(0.0)
}

/// A pseudorandom number from 0 to 1.
fn random(x: u32, y: u32, seed: u32) -> f64 {
    let mut bits = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77) ^ seed.wrapping_mul(0xC2B2_AE3D);
    for _ in 0..3 {
        bits = (bits ^ (bits >> 15)).wrapping_mul(0x2C1B_3C6D);
    }
    f64::from(bits) / f64::from(u32::MAX)
}
