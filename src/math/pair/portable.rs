//! The kernel for every machine: 64-bit digits, one number at a time.

use super::{Constants, Kernel, MAX_DIGITS};

/// One lane of 64-bit digits.
pub(super) struct Portable;

impl Kernel for Portable {
    fn name(&self) -> &'static str {
        "portable"
    }

    fn digit_bits(&self) -> u32 {
        64
    }

    fn lanes(&self) -> usize {
        1
    }

    fn mul(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
        let k = modulus.digits.len();
        let ((al, ah), (bl, bh)) = (a.split_at(k), b.split_at(k));
        let mut quotient = [0; MAX_DIGITS];
        let (l, h) = out.split_at_mut(k);
        product(modulus, l, al, bl, &mut quotient[..k]);
        products(modulus, h, [(al, bh), (ah, bl)], &quotient[..k]);
    }

    fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
        self.mul(modulus, out, a, a);
    }
}

/// `out = (a b + m n) / R`; writes down the quotient `m`.
fn product(modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64], quotient: &mut [u64]) {
    let k = modulus.digits.len();
    let mut sum = [0u64; MAX_DIGITS];
    let sum = &mut sum[..=k];
    for (&digit, m) in b.iter().zip(quotient) {
        let carry = add_product(&mut sum[..k], a, digit);
        // Below 4 n b / R + 2 n < R in all, so the top digit takes the carry.
        sum[k] += carry;
        *m = sum[0].wrapping_mul(modulus.inverse);
        reduce(sum, modulus, *m);
    }
    out.copy_from_slice(&sum[..k]);
}

/// `out = (a b + c d + cushion - quotient + m n) / R`.
fn products(modulus: &Constants, out: &mut [u64], pairs: [(&[u64], &[u64]); 2], quotient: &[u64]) {
    let k = modulus.digits.len();
    let mut sum = [0u64; MAX_DIGITS];
    let sum = &mut sum[..k + 2];
    let mut borrow = false;
    for ((sum, &cushion), &m) in sum.iter_mut().zip(&modulus.cushion).zip(quotient.iter().chain([&0])) {
        let (difference, b1) = cushion.overflowing_sub(m);
        let (difference, b2) = difference.overflowing_sub(u64::from(borrow));
        (*sum, borrow) = (difference, b1 | b2);
    }
    for i in 0..k {
        for (a, b) in pairs {
            let carry = add_product(&mut sum[..k], a, b[i]);
            let (top, overflow) = sum[k].overflowing_add(carry);
            sum[k] = top;
            sum[k + 1] += u64::from(overflow);
        }
        let m = sum[0].wrapping_mul(modulus.inverse);
        reduce(&mut sum[..=k], modulus, m);
        // What the reduction shifted into the top digit meets what was above it.
        let (top, overflow) = sum[k].overflowing_add(sum[k + 1]);
        debug_assert!(!overflow);
        sum[k] = top;
        sum[k + 1] = 0;
    }
    out.copy_from_slice(&sum[..k]);
}

/// `sum = (sum + m n) / digit size`, exactly.
fn reduce(sum: &mut [u64], modulus: &Constants, m: u64) {
    let k = modulus.digits.len();
    let carry = add_product(&mut sum[..k], &modulus.digits, m);
    let (top, overflow) = sum[k].overflowing_add(carry);
    sum.copy_within(1..k, 0);
    sum[k - 1] = top;
    sum[k] = u64::from(overflow);
}

/// `sum += a * digit`; returns the carry.
fn add_product(sum: &mut [u64], a: &[u64], digit: u64) -> u64 {
    let mut carry = 0u64;
    for (sum, &a) in sum.iter_mut().zip(a) {
        let wide = u128::from(a) * u128::from(digit) + u128::from(*sum) + u128::from(carry);
        #[expect(clippy::cast_possible_truncation, reason = "taking the digits apart")]
        {
            *sum = wide as u64;
            carry = (wide >> 64) as u64;
        }
    }
    carry
}
