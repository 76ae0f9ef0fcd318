//! The kernel for WebAssembly: 28-bit digits, one number at a time.
//!
//! WebAssembly multiplies 64-bit words but gives no high half and no carry. Products of 28-bit digits have 56 bits, so a
//! 64-bit sum takes 256 of them before anything has to be carried: the inner loops are multiplications and additions
//! alone. Sums are carried every [`BLOCK`] rows and at the end.

use super::{Constants, Kernel, MAX_DIGITS, digit_mask};

const BITS: u32 = 28;
/// Rows between carries: each adds three products at most to a sum, and `3 * 80 < 256`, with room for what is left over.
const BLOCK: usize = 80;

/// One lane of 28-bit digits.
pub(super) struct Scalar28;

impl Kernel for Scalar28 {
    fn name(&self) -> &'static str {
        "scalar-28"
    }

    fn digit_bits(&self) -> u32 {
        BITS
    }

    fn lanes(&self) -> usize {
        1
    }

    fn mul(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
        let k = modulus.digits.len();
        let n = &modulus.digits[..];
        let ((al, ah), (bl, bh)) = (a.split_at(k), b.split_at(k));
        let mask = digit_mask(BITS);
        let mut quotient = [0; MAX_DIGITS];
        let quotient = &mut quotient[..k];
        let (l, h) = out.split_at_mut(k);

        let mut sums = [0u64; MAX_DIGITS + 1];
        let sum = &mut sums[..=k];
        for i in 0..k {
            let x = bl[i];
            let m = (sum[0] + al[0] * x).wrapping_mul(modulus.inverse) & mask;
            quotient[i] = m;
            let carry = (sum[0] + al[0] * x + n[0] * m) >> BITS;
            let (digits, next) = (al[1..].iter().zip(&n[1..]), i + 1);
            for (j, (&a, &n)) in digits.enumerate() {
                sum[j] = sum[j + 1] + a * x + n * m;
            }
            sum[k - 1] = sum[k];
            sum[k] = 0;
            sum[0] += carry;
            if next % BLOCK == 0 {
                carry_over(sum);
            }
        }
        carry_over(sum);
        l.copy_from_slice(&sum[..k]);

        for ((sum, &cushion), &m) in sum.iter_mut().zip(&modulus.cushion).zip(quotient.iter().chain([&0])) {
            *sum = cushion - m;
        }
        for i in 0..k {
            let (x, y) = (bh[i], bl[i]);
            let first = sum[0] + al[0] * x + ah[0] * y;
            let m = first.wrapping_mul(modulus.inverse) & mask;
            let carry = (first + n[0] * m) >> BITS;
            let digits = al[1..].iter().zip(&ah[1..]).zip(&n[1..]);
            for (j, ((&a, &b), &n)) in digits.enumerate() {
                sum[j] = sum[j + 1] + a * x + b * y + n * m;
            }
            sum[k - 1] = sum[k];
            sum[k] = 0;
            sum[0] += carry;
            if (i + 1) % BLOCK == 0 {
                carry_over(sum);
            }
        }
        carry_over(sum);
        h.copy_from_slice(&sum[..k]);
    }

    fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
        self.mul(modulus, out, a, a);
    }
}

/// Carries what is above 28 bits in each digit to the next one.
fn carry_over(sum: &mut [u64]) {
    let mask = digit_mask(BITS);
    let mut carry = 0;
    for digit in sum {
        let t = *digit + carry;
        *digit = t & mask;
        carry = t >> BITS;
    }
}
