//! The instructions themselves.

use std::arch::x86_64::{
    __m512i, _mm_cvtsi64_si128, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_set1_epi64, _mm512_slli_epi64, _mm512_srl_epi64, _mm512_storeu_si512,
    _mm512_sub_epi64,
};

use super::super::{Constants, Kernel};
use super::{BITS, Vector};

const LANES: usize = 8;

/// Exists only where the processor has the instructions.
struct Ifma;

/// The kernel, if this processor has what it needs.
pub(crate) fn detect() -> Option<&'static dyn Kernel> {
    (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")).then_some(&Ifma as &dyn Kernel)
}

impl Kernel for Ifma {
    fn name(&self) -> &'static str {
        "avx512-ifma"
    }

    fn digit_bits(&self) -> u32 {
        BITS
    }

    fn lanes(&self) -> usize {
        LANES
    }

    fn mul(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
        modulus.check_lengths(2 * LANES, [out.len(), a.len(), b.len()]);
        // SAFETY: `Ifma` exists only where `detect` has seen both features; the lengths are checked.
        unsafe { by_size!(mul(modulus, out, a, b)) }
    }

    fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
        modulus.check_lengths(2 * LANES, [out.len(), a.len(), a.len()]);
        // SAFETY: as above.
        unsafe { by_size!(square(modulus, out, a)) }
    }

    fn mul_low(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
        modulus.check_lengths(LANES, [out.len(), a.len(), b.len()]);
        // SAFETY: as above.
        unsafe { by_size!(mul_low(modulus, out, a, b)) }
    }

    fn reduce(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
        modulus.check_lengths(LANES, [out.len() / 2, a.len(), a.len()]);
        // SAFETY: as above.
        unsafe { by_size!(reduce(modulus, out, a)) }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn mul<const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
    // SAFETY: passed on to the caller.
    unsafe { super::mul::<Eight, K>(k, modulus, out, a, b) }
}

#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn square<const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64]) {
    // SAFETY: passed on to the caller.
    unsafe { super::square::<Eight, K>(k, modulus, out, a) }
}

#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn mul_low<const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
    // SAFETY: passed on to the caller.
    unsafe { super::mul_low::<Eight, K>(k, modulus, out, a, b) }
}

#[target_feature(enable = "avx512f,avx512ifma")]
unsafe fn reduce<const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64]) {
    // SAFETY: passed on to the caller.
    unsafe { super::reduce::<Eight, K>(k, modulus, out, a) }
}

/// Eight 64-bit words.
#[derive(Clone, Copy)]
struct Eight(__m512i);

// SAFETY of all of them: passed on to the caller, who has the features and enough words behind each pointer.
impl Vector for Eight {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn splat(word: u64) -> Self {
        Self(unsafe { _mm512_set1_epi64(word.cast_signed()) })
    }

    #[inline(always)]
    unsafe fn load(from: *const u64) -> Self {
        Self(unsafe { _mm512_loadu_si512(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u64) {
        unsafe { _mm512_storeu_si512(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn low(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_madd52lo_epu64(self.0, a.0, b.0) })
    }

    #[inline(always)]
    unsafe fn high(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_madd52hi_epu64(self.0, a.0, b.0) })
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Self(unsafe { _mm512_add_epi64(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Self(unsafe { _mm512_sub_epi64(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn and(self, b: Self) -> Self {
        Self(unsafe { _mm512_and_si512(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn double(self) -> Self {
        Self(unsafe { _mm512_slli_epi64::<1>(self.0) })
    }

    #[inline(always)]
    unsafe fn shift<const N: u32>(self) -> Self {
        Self(unsafe { _mm512_srl_epi64(self.0, _mm_cvtsi64_si128(i64::from(N))) })
    }
}
