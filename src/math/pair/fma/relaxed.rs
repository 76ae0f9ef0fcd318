//! Two numbers at a time with WebAssembly's relaxed SIMD.
//!
//! The standard lets an engine round the multiply-add once or twice. Every engine rounds once if the processor can. Where it
//! cannot, the known-answer test in `web` finds wrong products, and the page uses the other build.

use std::arch::wasm32::{
    f64x2_relaxed_madd, f64x2_sub, i64x2_add, i64x2_sub, u64x2_shr, u64x2_splat, v128, v128_and, v128_load, v128_or,
    v128_store,
};

use super::{BITS, Vector};

const LANES: usize = 2;

pub(crate) struct Relaxed;

// The numbers of digits for the primes of keys. The key's owner computes only with these. Every function adds to the download,
// so the longer digits of the moduli are not listed.
vector_kernel!(Relaxed, "relaxed-fma", Two, #[inline(never)], [21, 31, 41]);

/// Two 64-bit words.
#[derive(Clone, Copy)]
struct Two(v128);

// SAFETY of all functions: upheld by the caller; there are enough words behind each pointer.
impl Vector for Two {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn splat(word: u64) -> Self {
        Self(u64x2_splat(word))
    }

    #[inline(always)]
    unsafe fn load(from: *const u64) -> Self {
        Self(unsafe { v128_load(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u64) {
        unsafe { v128_store(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        Self(f64x2_relaxed_madd(self.0, b.0, c.0))
    }

    #[inline(always)]
    unsafe fn minus(self, b: Self) -> Self {
        Self(f64x2_sub(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Self(i64x2_add(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Self(i64x2_sub(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn and(self, b: Self) -> Self {
        Self(v128_and(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn or(self, b: Self) -> Self {
        Self(v128_or(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn shift(self) -> Self {
        Self(u64x2_shr(self.0, BITS))
    }
}
