//! Floats, eight at a time, with AVX-512, and eight 52-bit words if the processor has IFMA.

use std::arch::x86_64::{
    __m512d, __m512i, _CMP_LT_OQ, _mm512_add_epi64, _mm512_add_pd, _mm512_and_si512, _mm512_castpd_si512,
    _mm512_castsi512_pd, _mm512_cmp_pd_mask, _mm512_fmadd_pd, _mm512_fmsub_pd, _mm512_fnmadd_pd, _mm512_loadu_pd,
    _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_add_pd, _mm512_mul_pd,
    _mm512_or_si512, _mm512_permutexvar_pd, _mm512_set1_epi64, _mm512_set1_pd, _mm512_setzero_pd, _mm512_shuffle_f64x2,
    _mm512_srli_epi64, _mm512_storeu_pd, _mm512_storeu_si512, _mm512_sub_pd, _mm512_unpackhi_pd, _mm512_unpacklo_pd,
    _mm512_xor_si512,
};

use super::{Floats, Work};

pub(in super::super) const LANES: usize = 8;

/// 2^52: its bit pattern becomes a float when an integer below 2^52 is written into the lower bits.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// Whether this processor has the instructions.
pub(in super::super) fn detect() -> bool {
    is_x86_feature_detected!("avx512f")
}

/// Whether it also has those on 52-bit words.
pub(in super::super) fn detect_ifma() -> bool {
    detect() && is_x86_feature_detected!("avx512ifma")
}

/// # Safety
/// The processor has the instructions.
#[target_feature(enable = "avx512f")]
pub(in super::super) unsafe fn run(work: impl Work) {
    // SAFETY: upheld by the caller.
    unsafe { work.floats::<Eight<false>>() }
}

/// # Safety
/// The processor has the instructions.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(in super::super) unsafe fn run_ifma(work: impl Work) {
    // SAFETY: upheld by the caller.
    unsafe { work.floats::<Eight<true>>() }
}

#[derive(Clone, Copy)]
struct Eight<const IFMA: bool>(__m512d);

// SAFETY of all functions: upheld by the caller; the features exist, and there are enough words behind each pointer.
impl<const IFMA: bool> Floats for Eight<IFMA> {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn splat(number: f64) -> Self {
        Self(unsafe { _mm512_set1_pd(number) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(unsafe { _mm512_loadu_pd(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        unsafe { _mm512_storeu_pd(to, self.0) }
    }

    #[inline(always)]
    unsafe fn from_words(from: *const u64) -> Self {
        unsafe {
            let whole = _mm512_set1_pd(WHOLE);
            let float = _mm512_or_si512(_mm512_loadu_si512(from.cast()), _mm512_castpd_si512(whole));
            Self(_mm512_sub_pd(_mm512_castsi512_pd(float), whole))
        }
    }

    #[inline(always)]
    unsafe fn to_words(self, to: *mut u64) {
        unsafe {
            let whole = _mm512_set1_pd(WHOLE);
            let float = _mm512_castpd_si512(_mm512_add_pd(self.0, whole));
            _mm512_storeu_si512(to.cast(), _mm512_xor_si512(float, _mm512_castpd_si512(whole)));
        }
    }

    #[inline(always)]
    unsafe fn ordered(self, order: *const u64) -> Self {
        Self(unsafe { _mm512_permutexvar_pd(_mm512_loadu_si512(order.cast()), self.0) })
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Self(unsafe { _mm512_add_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Self(unsafe { _mm512_sub_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        Self(unsafe { _mm512_mul_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm512_fmadd_pd(self.0, b.0, c.0) })
    }

    #[inline(always)]
    unsafe fn fms(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm512_fmsub_pd(self.0, b.0, c.0) })
    }

    #[inline(always)]
    unsafe fn fnma(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm512_fnmadd_pd(self.0, b.0, c.0) })
    }

    #[inline(always)]
    unsafe fn lift(self, q: Self) -> Self {
        unsafe {
            let below = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, _mm512_setzero_pd());
            Self(_mm512_mask_add_pd(self.0, below, self.0, q.0))
        }
    }

    #[inline(always)]
    unsafe fn transpose(rows: &mut [Self]) {
        unsafe {
            // Combines pairs of rows, then groups of four, then all eight.
            let mut pairs = [rows[0].0; 8];
            for i in 0..4 {
                pairs[2 * i] = _mm512_unpacklo_pd(rows[2 * i].0, rows[2 * i + 1].0);
                pairs[2 * i + 1] = _mm512_unpackhi_pd(rows[2 * i].0, rows[2 * i + 1].0);
            }
            let mut fours = pairs;
            for i in 0..2 {
                for half in 0..2 {
                    let (a, b) = (pairs[4 * i + half], pairs[4 * i + 2 + half]);
                    fours[4 * i + half] = _mm512_shuffle_f64x2::<0b10_00_10_00>(a, b);
                    fours[4 * i + 2 + half] = _mm512_shuffle_f64x2::<0b11_01_11_01>(a, b);
                }
            }
            for i in 0..4 {
                let (a, b) = (fours[i], fours[4 + i]);
                rows[i] = Self(_mm512_shuffle_f64x2::<0b10_00_10_00>(a, b));
                rows[4 + i] = Self(_mm512_shuffle_f64x2::<0b11_01_11_01>(a, b));
            }
        }
    }

    const WORDS: bool = IFMA;

    #[inline(always)]
    unsafe fn low(self, a: Self, b: Self) -> Self {
        unsafe {
            let [sum, a, b] = [self, a, b].map(|x| _mm512_castpd_si512(x.0));
            Self(_mm512_castsi512_pd(_mm512_madd52lo_epu64(sum, a, b)))
        }
    }

    #[inline(always)]
    unsafe fn high(self, a: Self, b: Self) -> Self {
        unsafe {
            let [sum, a, b] = [self, a, b].map(|x| _mm512_castpd_si512(x.0));
            Self(_mm512_castsi512_pd(_mm512_madd52hi_epu64(sum, a, b)))
        }
    }

    #[inline(always)]
    unsafe fn floats(low: Self, high: Self) -> [Self; 2] {
        unsafe {
            let (low, high) = (_mm512_castpd_si512(low.0), _mm512_castpd_si512(high.0));
            let high = _mm512_add_epi64(high, _mm512_srli_epi64::<52>(low));
            let low = _mm512_and_si512(low, _mm512_set1_epi64((1 << 52) - 1));
            [float(low), float(high)]
        }
    }

    #[inline(always)]
    unsafe fn wide_floats(low: Self, high: Self) -> [Self; 3] {
        unsafe {
            let (low, high) = (_mm512_castpd_si512(low.0), _mm512_castpd_si512(high.0));
            let high = _mm512_add_epi64(high, _mm512_srli_epi64::<52>(low));
            let mask = _mm512_set1_epi64((1 << 52) - 1);
            let (low, middle) = (_mm512_and_si512(low, mask), _mm512_and_si512(high, mask));
            [float(low), float(middle), float(_mm512_srli_epi64::<52>(high))]
        }
    }
}

/// Converts integers below 2^52.
///
/// # Safety
/// The processor has the instructions.
#[inline(always)]
unsafe fn float<const IFMA: bool>(words: __m512i) -> Eight<IFMA> {
    unsafe {
        let whole = _mm512_set1_pd(WHOLE);
        let float = _mm512_castsi512_pd(_mm512_or_si512(words, _mm512_castpd_si512(whole)));
        Eight(_mm512_sub_pd(float, whole))
    }
}
