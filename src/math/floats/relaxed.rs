//! Floats, two at a time, with WebAssembly's relaxed SIMD.
//!
//! The standard lets an engine round the multiply-add once or twice, but always in the same way. All engines round once if the
//! processor can.

use std::arch::wasm32::{
    f64x2_add, f64x2_extract_lane, f64x2_lt, f64x2_mul, f64x2_neg, f64x2_relaxed_madd, f64x2_relaxed_nmadd,
    f64x2_splat, f64x2_sub, i64x2_shuffle, v128, v128_and, v128_load, v128_or, v128_store, v128_xor,
};
use std::hint::black_box;

use super::Floats;

pub(in super::super) const LANES: usize = 2;

/// 2^52: its bit pattern becomes a float when an integer below 2^52 is written into the lower bits.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// Whether this engine rounds once. If so, the square of `1 + 2^-30` minus `1 + 2^-29` is `2^-60`; otherwise it is 0.
pub(in super::super) fn detect() -> bool {
    let (x, y) = (
        f64x2_splat(black_box(1.0 + 1.0 / f64::from(1 << 30))),
        f64x2_splat(black_box(1.0 + 1.0 / f64::from(1 << 29))),
    );
    let plus = f64x2_extract_lane::<1>(f64x2_relaxed_madd(x, x, f64x2_neg(y)));
    let minus = f64x2_extract_lane::<1>(f64x2_relaxed_nmadd(x, x, y));
    plus > 0.0 && minus < 0.0
}

#[derive(Clone, Copy)]
pub(in super::super) struct Two(v128);

// SAFETY of all functions: upheld by the caller; there are enough words behind each pointer.
impl Floats for Two {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn splat(number: f64) -> Self {
        Self(f64x2_splat(number))
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(unsafe { v128_load(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        unsafe { v128_store(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn from_words(from: *const u64) -> Self {
        let whole = f64x2_splat(WHOLE);
        Self(f64x2_sub(v128_or(unsafe { v128_load(from.cast()) }, whole), whole))
    }

    #[inline(always)]
    unsafe fn to_words(self, to: *mut u64) {
        let whole = f64x2_splat(WHOLE);
        unsafe { v128_store(to.cast(), v128_xor(f64x2_add(self.0, whole), whole)) }
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Self(f64x2_add(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Self(f64x2_sub(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        Self(f64x2_mul(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        Self(f64x2_relaxed_madd(self.0, b.0, c.0))
    }

    #[inline(always)]
    unsafe fn fms(self, b: Self, c: Self) -> Self {
        Self(f64x2_relaxed_madd(self.0, b.0, f64x2_neg(c.0)))
    }

    #[inline(always)]
    unsafe fn fnma(self, b: Self, c: Self) -> Self {
        Self(f64x2_relaxed_nmadd(self.0, b.0, c.0))
    }

    #[inline(always)]
    unsafe fn lift(self, q: Self) -> Self {
        let below = f64x2_lt(self.0, f64x2_splat(0.0));
        Self(f64x2_add(self.0, v128_and(below, q.0)))
    }

    #[inline(always)]
    unsafe fn transpose(rows: &mut [Self]) {
        let [a, b] = [rows[0].0, rows[1].0];
        rows[0] = Self(i64x2_shuffle::<0, 2>(a, b));
        rows[1] = Self(i64x2_shuffle::<1, 3>(a, b));
    }
}
