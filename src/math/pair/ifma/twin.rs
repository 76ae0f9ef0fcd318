//! Emulates the instructions on plain numbers, so that every machine can test the algorithm.

use super::super::digit_mask;
use super::{BITS, Vector};

const LANES: usize = 2;

pub(crate) struct Twin;

vector_kernel!(Twin, "ifma-twin", Plain, #[inline(never)], []);

#[derive(Clone, Copy)]
struct Plain([u64; LANES]);

impl Plain {
    fn map(self, b: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], b.0[lane])))
    }
}

impl Vector for Plain {
    const LANES: usize = LANES;

    unsafe fn splat(word: u64) -> Self {
        Self([word; LANES])
    }

    unsafe fn load(from: *const u64) -> Self {
        // SAFETY: upheld by the caller.
        Self(unsafe { from.cast::<[u64; LANES]>().read_unaligned() })
    }

    unsafe fn store(self, to: *mut u64) {
        // SAFETY: upheld by the caller.
        unsafe { to.cast::<[u64; LANES]>().write_unaligned(self.0) }
    }

    unsafe fn low(self, a: Self, b: Self) -> Self {
        self.map(a.map(b, |a, b| product(a, b).0), u64::wrapping_add)
    }

    unsafe fn high(self, a: Self, b: Self) -> Self {
        self.map(a.map(b, |a, b| product(a, b).1), u64::wrapping_add)
    }

    unsafe fn add(self, b: Self) -> Self {
        self.map(b, u64::wrapping_add)
    }

    unsafe fn sub(self, b: Self) -> Self {
        self.map(b, u64::wrapping_sub)
    }

    unsafe fn and(self, b: Self) -> Self {
        self.map(b, |a, b| a & b)
    }

    unsafe fn double(self) -> Self {
        Self(self.0.map(|word| word << 1))
    }

    unsafe fn shift<const N: u32>(self) -> Self {
        Self(self.0.map(|word| word >> N))
    }
}

/// The lower and the upper 52 bits of the product of the lower 52 bits of `a` and `b`.
fn product(a: u64, b: u64) -> (u64, u64) {
    let mask = digit_mask(BITS);
    let product = u128::from(a & mask) * u128::from(b & mask);
    #[expect(clippy::cast_possible_truncation, reason = "taking the product apart")]
    let halves = (product as u64 & mask, (product >> BITS) as u64);
    halves
}
