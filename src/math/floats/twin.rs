//! The same algorithm on plain numbers, which every machine can test.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers from 0 to 2^52 are both"
)]

use super::Floats;

pub(in super::super) const LANES: usize = 2;

#[derive(Clone, Copy)]
pub(in super::super) struct Plain([f64; LANES]);

impl Plain {
    fn map(self, b: Self, c: Self, f: impl Fn(f64, f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], b.0[lane], c.0[lane])))
    }
}

// SAFETY of the loads and stores: upheld by the caller.
impl Floats for Plain {
    const LANES: usize = LANES;

    unsafe fn splat(number: f64) -> Self {
        Self([number; LANES])
    }

    unsafe fn load(from: *const f64) -> Self {
        Self(unsafe { from.cast::<[f64; LANES]>().read() })
    }

    unsafe fn store(self, to: *mut f64) {
        unsafe { to.cast::<[f64; LANES]>().write(self.0) }
    }

    unsafe fn from_words(from: *const u64) -> Self {
        Self(unsafe { from.cast::<[u64; LANES]>().read() }.map(|word| word as f64))
    }

    unsafe fn to_words(self, to: *mut u64) {
        unsafe { to.cast::<[u64; LANES]>().write(self.0.map(|number| number as u64)) }
    }

    unsafe fn add(self, b: Self) -> Self {
        self.map(b, b, |a, b, _| a + b)
    }

    unsafe fn sub(self, b: Self) -> Self {
        self.map(b, b, |a, b, _| a - b)
    }

    unsafe fn mul(self, b: Self) -> Self {
        self.map(b, b, |a, b, _| a * b)
    }

    unsafe fn fma(self, b: Self, c: Self) -> Self {
        self.map(b, c, f64::mul_add)
    }

    unsafe fn fms(self, b: Self, c: Self) -> Self {
        self.map(b, c, |a, b, c| a.mul_add(b, -c))
    }

    unsafe fn fnma(self, b: Self, c: Self) -> Self {
        self.map(b, c, |a, b, c| (-a).mul_add(b, c))
    }

    unsafe fn lift(self, q: Self) -> Self {
        self.map(q, q, |a, q, _| if a < 0.0 { a + q } else { a })
    }

    unsafe fn transpose(rows: &mut [Self]) {
        (rows[0].0[1], rows[1].0[0]) = (rows[1].0[0], rows[0].0[1]);
    }
}
