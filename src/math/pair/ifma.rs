//! The kernel for processors with AVX-512 IFMA: 52-bit digits, eight numbers at a time.
//!
//! One instruction multiplies a digit of each of eight numbers and adds the low or the high half of the products to
//! eight sums. Sums are 64 bits wide and only normalised at the end: a digit collects at most `6 k` halves below 2^52
//! (`k` at most 79), which stays below 2^61.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_srli_epi64, _mm512_sub_epi64,
};

use super::{Constants, Kernel, digit_mask};

const LANES: usize = 8;
const BITS: u32 = 52;

/// Eight lanes of 52-bit digits. Exists only where the processor has the instructions.
struct Ifma;

/// The kernel, if this processor has what it needs.
pub(super) fn detect() -> Option<&'static dyn Kernel> {
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
        assert!([out.len(), a.len(), b.len()] == [2 * LANES * modulus.digits.len(); 3], "batches of this modulus");
        // SAFETY: `Ifma` exists only where `detect` has seen both features.
        unsafe {
            match modulus.digits.len() {
                20 => mul::<20>(modulus, out, a, b),
                30 => mul::<30>(modulus, out, a, b),
                40 => mul::<40>(modulus, out, a, b),
                60 => mul::<60>(modulus, out, a, b),
                79 => mul::<79>(modulus, out, a, b),
                other => mul_any(other, modulus, out, a, b),
            }
        }
    }

    fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
        self.mul(modulus, out, a, a);
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn mul<const K: usize>(modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
    mul_any(K, modulus, out, a, b);
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn mul_any(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
    let ((al, ah), (bl, bh)) = (a.split_at(k * LANES), b.split_at(k * LANES));
    let n = &modulus.digits[..k];
    let zero = _mm512_setzero_si512();
    let inverse = broadcast(modulus.inverse);
    let mut quotient = [zero; MAX];

    let mut sum = [zero; MAX];
    for (i, quotient) in quotient[..k].iter_mut().enumerate() {
        let digit = load(bl, i);
        let first = _mm512_madd52lo_epu64(sum[0], load(al, 0), digit);
        let m = _mm512_madd52lo_epu64(zero, first, inverse);
        *quotient = m;
        let carry = _mm512_srli_epi64::<BITS>(_mm512_madd52lo_epu64(first, broadcast(n[0]), m));
        sum[0] = carry;
        for j in 1..k {
            let mut t = _mm512_madd52lo_epu64(sum[j], load(al, j), digit);
            t = _mm512_madd52lo_epu64(t, broadcast(n[j]), m);
            t = _mm512_madd52hi_epu64(t, load(al, j - 1), digit);
            t = _mm512_madd52hi_epu64(t, broadcast(n[j - 1]), m);
            sum[j - 1] = if j == 1 { _mm512_add_epi64(t, sum[0]) } else { t };
        }
        let top = _mm512_madd52hi_epu64(zero, load(al, k - 1), digit);
        sum[k - 1] = _mm512_madd52hi_epu64(top, broadcast(n[k - 1]), m);
    }
    let (l, h) = out.split_at_mut(k * LANES);
    normalise(l, &sum[..k]);

    for i in 0..k {
        sum[i] = _mm512_sub_epi64(broadcast(modulus.cushion[i]), quotient[i]);
    }
    sum[k] = broadcast(modulus.cushion[k]);
    for i in 0..k {
        let (x, y) = (load(bh, i), load(bl, i));
        let mut first = _mm512_madd52lo_epu64(sum[0], load(al, 0), x);
        first = _mm512_madd52lo_epu64(first, load(ah, 0), y);
        let m = _mm512_madd52lo_epu64(zero, first, inverse);
        let carry = _mm512_srli_epi64::<BITS>(_mm512_madd52lo_epu64(first, broadcast(n[0]), m));
        sum[0] = carry;
        for j in 1..k {
            let mut t = _mm512_madd52lo_epu64(sum[j], load(al, j), x);
            let mut u = _mm512_madd52lo_epu64(zero, load(ah, j), y);
            t = _mm512_madd52lo_epu64(t, broadcast(n[j]), m);
            u = _mm512_madd52hi_epu64(u, load(al, j - 1), x);
            t = _mm512_madd52hi_epu64(t, load(ah, j - 1), y);
            u = _mm512_madd52hi_epu64(u, broadcast(n[j - 1]), m);
            t = _mm512_add_epi64(t, u);
            sum[j - 1] = if j == 1 { _mm512_add_epi64(t, sum[0]) } else { t };
        }
        let mut top = _mm512_madd52hi_epu64(sum[k], load(al, k - 1), x);
        top = _mm512_madd52hi_epu64(top, load(ah, k - 1), y);
        sum[k - 1] = _mm512_madd52hi_epu64(top, broadcast(n[k - 1]), m);
        sum[k] = zero;
    }
    normalise(h, &sum[..k]);
}

/// One more than the most digits.
const MAX: usize = 81;

/// Carries what is above 52 bits in each digit to the next one.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn normalise(out: &mut [u64], sum: &[__m512i]) {
    let mask = broadcast(digit_mask(BITS));
    let mut carry = _mm512_setzero_si512();
    for (digit, &sum) in sum.iter().enumerate() {
        let t = _mm512_add_epi64(sum, carry);
        carry = _mm512_srli_epi64::<BITS>(t);
        store(out, digit, _mm512_and_si512(t, mask));
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(word: u64) -> __m512i {
    _mm512_set1_epi64(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(words: &[u64], digit: usize) -> __m512i {
    let lanes = &words[digit * LANES..(digit + 1) * LANES];
    // SAFETY: eight words, in bounds by the slice.
    unsafe { std::arch::x86_64::_mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(words: &mut [u64], digit: usize, value: __m512i) {
    let lanes = &mut words[digit * LANES..(digit + 1) * LANES];
    // SAFETY: eight words, in bounds by the slice.
    unsafe { std::arch::x86_64::_mm512_storeu_si512(lanes.as_mut_ptr().cast(), value) }
}
