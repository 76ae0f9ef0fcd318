//! The same algorithm on plain numbers, which every machine can test.

use super::{BITS, Vector};

const LANES: usize = 2;

pub(crate) struct Twin;

vector_kernel!(Twin, "fma-twin", Plain, #[inline(never)], []);

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
        Self(unsafe { from.cast::<[u64; LANES]>().read() })
    }

    unsafe fn store(self, to: *mut u64) {
        // SAFETY: upheld by the caller.
        unsafe { to.cast::<[u64; LANES]>().write(self.0) }
    }

    unsafe fn fma(self, b: Self, c: Self) -> Self {
        let fma = |lane: usize| {
            let [a, b, c] = [self, b, c].map(|words| f64::from_bits(words.0[lane]));
            a.mul_add(b, c).to_bits()
        };
        Self(std::array::from_fn(fma))
    }

    unsafe fn minus(self, b: Self) -> Self {
        self.map(b, |a, b| (f64::from_bits(a) - f64::from_bits(b)).to_bits())
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

    unsafe fn or(self, b: Self) -> Self {
        self.map(b, |a, b| a | b)
    }

    unsafe fn shift(self) -> Self {
        Self(self.0.map(|word| word >> BITS))
    }
}
