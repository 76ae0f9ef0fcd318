//! The transfer functions, which convert samples to light.
//!
//! Every conversion of a photo must give the same bytes: in a browser, on the command line, on an old processor. Therefore,
//! powers come from `libm`. Those of the standard library and of moxcms differ in the last bit between machines.

use moxcms::ToneReprCurve;

/// The brightness of white in candela per square metre, for brightness beyond it (ITU-R BT.2408).
pub(super) const WHITE: f32 = 203.0;

/// A transfer function from samples between 0 and 1 to light, where 1 is white.
pub(super) type Curve = Box<dyn Fn(f32) -> f32>;

/// The two curves for brightness beyond white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hdr {
    Pq,
    Hlg,
}

/// `base` to the `exponent`, the same on every machine.
#[expect(clippy::cast_possible_truncation, reason = "that is the rounding")]
pub(super) fn power(base: f32, exponent: f32) -> f32 {
    libm::pow(f64::from(base), f64::from(exponent)) as f32
}

/// A transfer function of ITU-T H.273, table 3, by its number.
pub(super) fn transfer(number: u8) -> Option<(Curve, Option<Hdr>)> {
    let curve: Curve = match number {
        1 | 6 | 14 | 15 => Box::new(|value| broken(value, &BT_709)),
        4 => Box::new(|value| power(value, 2.2)),
        5 => Box::new(|value| power(value, 2.8)),
        8 => Box::new(|value| value),
        13 => Box::new(|value| broken(value, &SRGB)),
        16 => return Some((Box::new(pq), Some(Hdr::Pq))),
        18 => return Some((Box::new(hlg), Some(Hdr::Hlg))),
        _ => return None,
    };
    Some((curve, None))
}

/// A curve of an ICC profile: `curveType` or `parametricCurveType` (ICC.1:2022, sections 10.6 and 10.18).
pub(super) fn of_tone(curve: &ToneReprCurve) -> Option<Curve> {
    match curve {
        ToneReprCurve::Lut(steps) => match steps.as_slice() {
            [] => Some(Box::new(|value| value)),
            // u8Fixed8Number
            &[gamma] => Some(Box::new(move |value| power(value, f32::from(gamma) / 256.0))),
            _ => {
                let steps = steps.clone();
                Some(Box::new(move |value| between(&steps, value)))
            }
        },
        ToneReprCurve::Parametric(numbers) => {
            let parts = match *numbers.as_slice() {
                [g] => Broken { g, a: 1.0, b: 0.0, c: 0.0, d: f32::NEG_INFINITY, e: 0.0, f: 0.0 },
                [g, a, b] => Broken { g, a, b, c: 0.0, d: -b / a, e: 0.0, f: 0.0 },
                [g, a, b, c] => Broken { g, a, b, c: 0.0, d: -b / a, e: c, f: c },
                [g, a, b, c, d] => Broken { g, a, b, c, d, e: 0.0, f: 0.0 },
                [g, a, b, c, d, e, f] => Broken { g, a, b, c, d, e, f },
                _ => return None,
            };
            Some(Box::new(move |value| broken(value, &parts)))
        }
    }
}

/// The value at a position from 0 to 1, interpolated between steps of 16 bits.
fn between(steps: &[u16], value: f32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "profiles are limited to far fewer steps than 2^24")]
    let place = value.clamp(0.0, 1.0) * (steps.len() - 1) as f32;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within the steps")]
    let index = place as usize;
    let [here, next] = [index, (index + 1).min(steps.len() - 1)].map(|i| f32::from(steps[i]) / 65_535.0);
    here + (next - here) * (place - place.floor())
}

/// `(a x + b)^g + e` from `d` on, and `c x + f` below it.
struct Broken {
    g: f32,
    a: f32,
    b: f32,
    c: f32,
    d: f32,
    e: f32,
    f: f32,
}

/// IEC 61966-2-1.
const SRGB: Broken = Broken { g: 2.4, a: 1.0 / 1.055, b: 0.055 / 1.055, c: 1.0 / 12.92, d: 0.040_45, e: 0.0, f: 0.0 };

/// ITU-R BT.709, BT.601 and BT.2020, with the constants of the last one, to more digits.
const BT_709: Broken = {
    const ALPHA: f32 = 1.099_296_8;
    const BETA: f32 = 0.018_053_97;
    Broken { g: 1.0 / 0.45, a: 1.0 / ALPHA, b: (ALPHA - 1.0) / ALPHA, c: 1.0 / 4.5, d: 4.5 * BETA, e: 0.0, f: 0.0 }
};

fn broken(value: f32, parts: &Broken) -> f32 {
    let Broken { g, a, b, c, d, e, f } = *parts;
    if value < d { c * value + f } else { power(a * value + b, g) + e }
}

/// SMPTE ST 2084.
fn pq(value: f32) -> f32 {
    const M1: f32 = 2610.0 / 16_384.0;
    const M2: f32 = 2523.0 / 4096.0 * 128.0;
    const C1: f32 = 3424.0 / 4096.0;
    const C2: f32 = 2413.0 / 4096.0 * 32.0;
    const C3: f32 = 2392.0 / 4096.0 * 32.0;
    let root = power(value, 1.0 / M2);
    10_000.0 / WHITE * power((root - C1).max(0.0) / (C2 - C3 * root), 1.0 / M1)
}

/// ITU-R BT.2100: the light of the scene. The display's transformation must follow.
fn hlg(value: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 1.0 - 4.0 * A;
    const C: f32 = 0.559_910_7;
    if value <= 0.5 { value * value / 3.0 } else { (libm::expf((value - C) / A) + B) / 12.0 }
}
