//! Evaluation of polynomials on encrypted numbers.
//!
//! A polynomial of degree `d` needs about `2 sqrt(d)` products of ciphertexts (M. S. Paterson, L. J. Stockmeyer, 1973): the
//! powers below `2^m`, the powers `2^m`, `2^(m+1)`, ..., and one product for each division by one of the latter. In the
//! Chebyshev basis, Chebyshev polynomials replace the powers, with `T_(a+b) = 2 T_a T_b - T_(a-b)` (H. Chen, I. Chillotti, Y.
//! Song, "Improved bootstrapping for approximate homomorphic encryption", EUROCRYPT 2019, section 3).
//!
//! Scales are exact: the wanted level and scale are passed down, and the coefficients of the smallest parts are encoded with
//! the scale that makes everything fit.

use std::collections::{BTreeMap, BTreeSet};

use super::ciphertext::{Ciphertext, Product};
use super::evaluator::Evaluator;
use crate::error::{Code, Error, Result};

/// The basis of a polynomial's coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Powers.
    Monomial,
    /// Chebyshev polynomials of the first kind, for numbers in `[-1, 1]`.
    Chebyshev,
}

/// A polynomial with real coefficients, constant term first.
#[derive(Clone, Debug, PartialEq)]
pub struct Polynomial {
    kind: Kind,
    coefficients: Vec<f64>,
}

/// If all coefficients of one parity are below this fraction of the largest coefficient, they are only rounding errors.
const ROUNDING: f64 = 1e-13;

impl Polynomial {
    /// A polynomial with these coefficients.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if a coefficient is not finite, or the degree is 0 or above 1023.
    pub fn new(kind: Kind, mut coefficients: Vec<f64>) -> Result<Self> {
        while coefficients.last() == Some(&0.0) {
            coefficients.pop();
        }
        if !coefficients.iter().all(|c| c.is_finite()) || !(2..=1024).contains(&coefficients.len()) {
            let message = "a polynomial needs finite coefficients and a degree from 1 to 1023";
            return Err(Error::new(Code::BadArgument, message));
        }
        Ok(Self { kind, coefficients })
    }

    /// Interpolates a function on `[-1, 1]` at the Chebyshev nodes.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the function is not finite there, or for a degree of 0 or above 1023.
    #[expect(clippy::cast_precision_loss, reason = "degrees are small")]
    pub fn interpolate(function: impl Fn(f64) -> f64, degree: usize) -> Result<Self> {
        let count = degree.min(1024) + 1;
        let angle = |k: usize| std::f64::consts::PI * (k as f64 + 0.5) / count as f64;
        let values: Vec<f64> = (0..count).map(|k| function(libm::cos(angle(k)))).collect();
        let coefficient = |i: usize| {
            let sum: f64 = values.iter().enumerate().map(|(k, value)| value * libm::cos(i as f64 * angle(k))).sum();
            sum * if i == 0 { 1.0 } else { 2.0 } / count as f64
        };
        let mut coefficients: Vec<f64> = (0..count).map(coefficient).collect();
        // For an even or odd function, rounding errors take the place of zeros. They would cost products.
        let largest = |from: usize, step: usize, all: &[f64]| {
            all.iter().skip(from).step_by(step).fold(0.0, |largest: f64, c| largest.max(c.abs()))
        };
        let all = largest(0, 1, &coefficients);
        for parity in [0, 1] {
            if largest(parity, 2, &coefficients) < all * ROUNDING {
                coefficients.iter_mut().skip(parity).step_by(2).for_each(|c| *c = 0.0);
            }
        }
        Self::new(Kind::Chebyshev, coefficients)
    }

    /// Evaluates the polynomial in the clear.
    #[must_use]
    pub fn value(&self, x: f64) -> f64 {
        match self.kind {
            Kind::Monomial => self.coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c),
            Kind::Chebyshev => {
                // Clenshaw's recurrence.
                let (b1, b2) =
                    self.coefficients[1..].iter().rev().fold((0.0, 0.0), |(b1, b2), c| (2.0 * x * b1 - b2 + c, b1));
                x * b1 - b2 + self.coefficients[0]
            }
        }
    }

    /// The degree.
    #[must_use]
    pub fn degree(&self) -> usize {
        self.coefficients.len() - 1
    }

    /// The number of levels that evaluation consumes.
    #[must_use]
    pub fn depth(&self) -> usize {
        (usize::BITS - self.degree().leading_zeros()) as usize + 1
    }

    /// The binary logarithm of the number of powers computed one by one, about the square root of the degree.
    fn log_baby(&self) -> u32 {
        (usize::BITS - self.degree().leading_zeros()).div_ceil(2)
    }
}

/// The powers, or the Chebyshev polynomials, of a ciphertext.
type Powers = BTreeMap<usize, Ciphertext>;

impl Evaluator {
    /// Evaluates the polynomial at each value. The result is [`Polynomial::depth`] levels lower and has its level's usual
    /// scale.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] if there are not enough levels; [`Code::MissingKey`] without a relinearisation key.
    pub fn polynomial(&self, polynomial: &Polynomial, a: &Ciphertext) -> Result<Ciphertext> {
        let Some(level) = a.level.checked_sub(polynomial.depth()) else {
            let message = format!("a polynomial of degree {} ({} levels)", polynomial.degree(), polynomial.depth());
            return Err(self.exhausted(&message));
        };
        self.polynomial_to(polynomial, a, level, self.ring.scale(level))
    }

    /// Like [`Evaluator::polynomial`], for a chosen level and scale. The level must be at least [`Polynomial::depth`] lower.
    pub(super) fn polynomial_to(
        &self,
        polynomial: &Polynomial,
        a: &Ciphertext,
        level: usize,
        scale: f64,
    ) -> Result<Ciphertext> {
        let powers = self.powers(polynomial, a)?;
        self.part(polynomial.kind, &polynomial.coefficients, &powers, polynomial.log_baby(), level, scale)
    }

    /// Computes all powers that are needed.
    fn powers(&self, polynomial: &Polynomial, a: &Ciphertext) -> Result<Powers> {
        let mut powers = Powers::from([(1, a.clone())]);
        for power in needed(polynomial.kind, &polynomial.coefficients, 1 << polynomial.log_baby()) {
            self.power(polynomial.kind, power, &mut powers)?;
        }
        Ok(powers)
    }

    /// Computes one power, with the largest power of two below it as a factor, so that its level is as high as possible.
    fn power(&self, kind: Kind, power: usize, powers: &mut Powers) -> Result<()> {
        if powers.contains_key(&power) {
            return Ok(());
        }
        let high = power.next_power_of_two() / 2;
        let (low, difference) = (power - high, 2 * high - power);
        self.power(kind, high, powers)?;
        self.power(kind, low, powers)?;
        let mut product = self.mul(&powers[&high], &powers[&low])?;
        if kind == Kind::Chebyshev {
            // T_(a+b) = 2 T_a T_b - T_(a-b), and T_0 is one.
            let (level, scale) = (product.level, product.scale);
            product.parts = if difference == 0 {
                self.weighted(&[(&product, 2.0)], -scale, level)?
            } else {
                self.power(kind, difference, powers)?;
                let other = &powers[&difference];
                self.weighted(&[(&product, 2.0), (other, -scale / other.scale)], 0.0, level)?
            };
        }
        let this = self.rescale(&product)?;
        powers.insert(power, this);
        Ok(())
    }

    /// Evaluates a part of the polynomial at a given level and scale. The sum of quotients times giant powers, and of the
    /// smallest powers times their coefficients, is relinearised and rescaled once.
    fn part(
        &self,
        kind: Kind,
        coefficients: &[f64],
        powers: &Powers,
        log_baby: u32,
        level: usize,
        scale: f64,
    ) -> Result<Ciphertext> {
        let above = scale * self.ring.divisor(level + 1);
        let mut rest = coefficients.to_vec();
        let mut products: Option<Product> = None;
        while let Some(giant) = giant(&rest, 1 << log_baby) {
            let (quotient, low) = split(kind, &rest, giant);
            let power = &powers[&giant];
            let quotient = self.part(kind, &quotient, powers, log_baby, level + 1, above / power.scale)?;
            let mut product = self.mul_only(&quotient, power)?;
            // Equal except for the rounding of floats.
            product.scale = above;
            match &mut products {
                None => products = Some(product),
                Some(products) => self.add_product(products, &product)?,
            }
            rest = low;
        }
        let small = self.small_part(&rest, powers, level + 1, above)?;
        let sum = match products {
            None => small,
            Some(mut products) => {
                for (part, small) in products.parts.iter_mut().zip(&small.parts) {
                    part.add(&self.ring, small);
                }
                self.relinearise(&products)?
            }
        };
        let mut sum = self.rescale(&sum)?;
        sum.scale = scale;
        Ok(sum)
    }

    /// The sum of the smallest powers, each times its coefficient.
    fn small_part(&self, coefficients: &[f64], powers: &Powers, level: usize, scale: f64) -> Result<Ciphertext> {
        let terms = coefficients.iter().enumerate().skip(1).filter(|&(_, &coefficient)| coefficient != 0.0);
        let terms = terms.map(|(power, coefficient)| {
            let power = &powers[&power];
            (power, coefficient * scale / power.scale)
        });
        let parts = self.weighted(&terms.collect::<Vec<_>>(), coefficients[0] * scale, level)?;
        Ok(powers[&1].with(parts, level, scale))
    }
}

/// The power by which the polynomial is divided, unless the polynomial is small.
fn giant(coefficients: &[f64], baby: usize) -> Option<usize> {
    let degree = coefficients.len() - 1;
    (degree >= baby).then(|| baby << (degree / baby).ilog2())
}

/// The powers that the parts of a polynomial consist of.
fn needed(kind: Kind, coefficients: &[f64], baby: usize) -> BTreeSet<usize> {
    let Some(giant) = giant(coefficients, baby) else {
        return (1..coefficients.len()).filter(|&power| coefficients[power] != 0.0).collect();
    };
    let (quotient, rest) = split(kind, coefficients, giant);
    let mut all = needed(kind, &quotient, baby);
    all.append(&mut needed(kind, &rest, baby));
    all.insert(giant);
    all
}

/// The quotient and the remainder of a division by the power, or the Chebyshev polynomial, of degree `giant`.
fn split(kind: Kind, coefficients: &[f64], giant: usize) -> (Vec<f64>, Vec<f64>) {
    let (low, high) = coefficients.split_at(giant);
    let (mut quotient, mut rest) = (high.to_vec(), low.to_vec());
    if kind == Kind::Chebyshev {
        // T_(g+i) = 2 T_g T_i - T_(g-i).
        for (i, coefficient) in quotient.iter_mut().enumerate().skip(1) {
            rest[giant - i] -= *coefficient;
            *coefficient *= 2.0;
        }
    }
    (quotient, rest)
}
