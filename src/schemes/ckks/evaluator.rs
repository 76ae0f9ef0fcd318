//! Computation on encrypted vectors.

use std::sync::Arc;

use num_complex::Complex64;

use super::ciphertext::{Ciphertext, Product};
use super::encode::{Encoder, residue, whole};
use super::keys::{EvaluationKeys, SwitchKey};
use super::plaintext::Plaintext;
use super::ring::{CONJUGATION, Poly, Ring, rotation};
use super::switch::{After, Hoisted, switch};
use crate::error::{Code, Error, Result};
use crate::math::limb::Limb;

/// Scales with a relative difference below this count as equal, because rounding causes such differences.
const SAME: f64 = 1e-10;

/// Evaluates operations with a ring, its encoder, and the keys of one owner. It cannot decrypt.
pub struct Evaluator {
    pub(super) ring: Arc<Ring>,
    pub(super) encoder: Arc<Encoder>,
    pub(super) keys: EvaluationKeys,
}

impl Evaluator {
    /// An evaluator for ciphertexts of the key pair to which `keys` belong.
    #[must_use]
    pub const fn new(ring: Arc<Ring>, encoder: Arc<Encoder>, keys: EvaluationKeys) -> Self {
        Self { ring, encoder, keys }
    }

    /// The ring.
    #[must_use]
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The sum. If the levels differ, the higher one is lowered.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] for different scales or numbers of slots; [`Code::ForeignKey`].
    pub fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext> {
        self.combine(a, b, Limb::sum)
    }

    /// The sum of ciphertexts, each times a weight for each slot. The weights are polynomials of this scale modulo the
    /// ciphertexts' primes. The ciphertexts agree in level, scale, slots and key. Rescale the result.
    pub(crate) fn weighted_sum(&self, ciphertexts: &[Ciphertext], weights: &[Poly], scale: f64) -> Ciphertext {
        let first = &ciphertexts[0];
        let sum = |part: usize| {
            let mut sum = Poly::zero(&self.ring, self.ring.level(first.level));
            for (ciphertext, weight) in ciphertexts.iter().zip(weights) {
                sum.mul_add(&self.ring, &ciphertext.parts[part], weight);
            }
            sum
        };
        first.with([sum(0), sum(1)], first.level, first.scale * scale)
    }

    /// The difference, as [`Evaluator::add`].
    ///
    /// # Errors
    /// As [`Evaluator::add`].
    pub fn sub(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext> {
        self.combine(a, b, Limb::difference)
    }

    fn combine(
        &self,
        a: &Ciphertext,
        b: &Ciphertext,
        operation: fn(Limb, &mut [u64], &[u64], &[u64]),
    ) -> Result<Ciphertext> {
        self.check_pair(a, b)?;
        let level = a.level.min(b.level);
        // If only the level differs, the primes above it are ignored.
        let lower = |x: &Ciphertext, other: &Ciphertext| {
            let same = x.level == level || same_scale(x.scale, other.scale).is_ok();
            if same { Ok(None) } else { self.adjust(x, level, other.scale).map(Some) }
        };
        let (lower_a, lower_b) = (lower(a, b)?, lower(b, a)?);
        let (a, b) = (lower_a.as_ref().unwrap_or(a), lower_b.as_ref().unwrap_or(b));
        same_scale(a.scale, b.scale)?;
        let ring = &self.ring;
        let parts = [0, 1].map(|half| {
            Poly::from_values(ring, ring.level(level), |place, limb| {
                operation(ring.limb(place), limb, a.parts[half].limb(place), b.parts[half].limb(place));
            })
        });
        Ok(a.with(parts, level, a.scale))
    }

    /// The sum of ciphertexts, each times an integer, and of an integer in all slots, at a level that is not above that of any
    /// ciphertext. The caller chooses the scales.
    pub(super) fn weighted(&self, terms: &[(&Ciphertext, f64)], constant: f64, level: usize) -> Result<[Poly; 2]> {
        let ring = &self.ring;
        let factors = terms.iter().map(|&(_, factor)| whole(factor)).collect::<Result<Vec<_>>>()?;
        let constant = whole(constant)?;
        Ok([0, 1].map(|half| {
            Poly::from_values(ring, ring.level(level), |place, out| {
                let limb = ring.limb(place);
                let q = limb.prime();
                let terms = terms.iter().zip(&factors);
                let terms: Vec<_> =
                    terms.map(|((a, _), &factor)| (a.parts[half].limb(place), residue(factor, q))).collect();
                limb.weighted(out, &terms, if half == 0 { residue(constant, q) } else { 0 });
            })
        }))
    }

    /// The negative.
    #[must_use]
    pub fn negate(&self, a: &Ciphertext) -> Ciphertext {
        let mut negative = a.clone();
        negative.parts.iter_mut().for_each(|part| part.negate(&self.ring));
        negative
    }

    /// The sum with a plaintext of the same scale, and of the same or a higher level.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] otherwise.
    pub fn add_plain(&self, a: &Ciphertext, b: &Plaintext) -> Result<Ciphertext> {
        self.check_plain(a, b)?;
        same_scale(a.scale, b.scale)?;
        let mut sum = a.clone();
        sum.parts[0].add(&self.ring, &b.poly);
        Ok(sum)
    }

    /// The slotwise product with a plaintext of the same or a higher level. The scales are multiplied.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] for a lower level or another number of slots.
    pub fn mul_plain(&self, a: &Ciphertext, b: &Plaintext) -> Result<Ciphertext> {
        self.check_plain(a, b)?;
        let mut product = a.clone();
        product.parts.iter_mut().for_each(|part| part.mul(&self.ring, &b.poly));
        product.scale *= b.scale;
        Ok(product)
    }

    /// The sum with the same number in all slots.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if the number is too large for the scale.
    pub fn add_constant(&self, a: &Ciphertext, constant: Complex64) -> Result<Ciphertext> {
        let mut sum = a.clone();
        self.constant(&mut sum.parts[0], constant * a.scale, |limb, values, residue| {
            limb.scale(values, residue, 1);
        })?;
        Ok(sum)
    }

    /// The product with the same number in all slots, rounded to a multiple of `1 / scale`. The scales are multiplied.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if the product of number and scale is too large.
    pub fn mul_constant(&self, a: &Ciphertext, constant: Complex64, scale: f64) -> Result<Ciphertext> {
        let mut product = a.clone();
        for part in &mut product.parts {
            self.constant(part, constant * scale, |limb, values, residue| limb.scale(values, 0, residue))?;
        }
        product.scale *= scale;
        Ok(product)
    }

    /// Changes the values by those of a constant, the polynomial `re + im X^(N/2)`: that power is the imaginary unit in all
    /// slots. The constant has one value in the first half of the places and its conjugate in the second.
    fn constant(
        &self,
        poly: &mut Poly,
        constant: Complex64,
        change: impl Fn(Limb, &mut [u64], u64) + Sync + Send,
    ) -> Result<()> {
        let (re, im) = (whole(constant.re)?, whole(constant.im)?);
        poly.each(&self.ring, |place, values| {
            let limb = self.ring.limb(place);
            let q = limb.prime();
            let re = residue(re, q);
            if im == 0 {
                return change(limb, values, re);
            }
            // A power of the root of order 4 N that has order 4.
            let unit =
                q.root(2 * self.ring.degree() as u64).map_or(0, |root| q.pow(root, self.ring.degree() as u64 / 2));
            let im = q.mul(residue(im, q), unit);
            let (first, second) = values.split_at_mut(self.ring.degree() / 2);
            change(limb, first, q.add(re, im));
            change(limb, second, q.sub(re, im));
        });
        Ok(())
    }

    /// The slotwise product. The scales are multiplied; [`Evaluator::rescale`] restores the scale.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] for different numbers of slots; [`Code::ForeignKey`]; [`Code::MissingKey`] without a
    /// relinearisation key.
    pub fn mul(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext> {
        self.relinearise(&self.mul_only(a, b)?)
    }

    /// The product as a [`Product`], to add to others before relinearisation.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] for different numbers of slots; [`Code::ForeignKey`].
    pub fn mul_only(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Product> {
        self.check_pair(a, b)?;
        let ring = &self.ring;
        let level = a.level.min(b.level);
        let basis = ring.level(level);
        let parts = Poly::triple(ring, basis, |place, low, middle, high| {
            let [a, b] = [a, b].map(|x| [0, 1].map(|half: usize| x.parts[half].limb(place)));
            ring.limb(place).tensor([low, middle, high], a, b);
        });
        Ok(Product { parts, level, scale: a.scale * b.scale, slots: a.slots, key: a.key })
    }

    /// Computes `a += b`, for products of the same level.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] for different levels, scales or numbers of slots; [`Code::ForeignKey`].
    pub fn add_product(&self, a: &mut Product, b: &Product) -> Result<()> {
        same_key(a.key, b.key)?;
        same_slots(a.slots, b.slots)?;
        same_scale(a.scale, b.scale)?;
        if a.level != b.level {
            return Err(differ(&format!("one product has level {}, the other level {}", a.level, b.level)));
        }
        for (a, b) in a.parts.iter_mut().zip(&b.parts) {
            a.add(&self.ring, b);
        }
        Ok(())
    }

    /// Relinearises a product to a ciphertext.
    ///
    /// # Errors
    /// [`Code::MissingKey`] without a relinearisation key that reaches up to this level.
    pub fn relinearise(&self, product: &Product) -> Result<Ciphertext> {
        let Product { ref parts, level, scale, slots, key: id } = *product;
        let key = for_level(&self.keys.relinearise, level, || "products".into())?;
        let [b, a, square] = parts;
        let after = After { add: [Some(b), Some(a)], permutation: None };
        Ok(Ciphertext { parts: switch(&self.ring, square, level, key, &after), level, scale, slots, key: id })
    }

    /// Divides by the level's prime, which lowers scale and level.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] at level 0.
    pub fn rescale(&self, a: &Ciphertext) -> Result<Ciphertext> {
        if a.level == 0 {
            return Err(self.exhausted("rescaling"));
        }
        let parts = [0, 1].map(|i| self.without_last(&a.parts[i], a.level));
        Ok(a.with(parts, a.level - 1, a.scale / self.ring.divisor(a.level)))
    }

    /// The polynomial divided by its last prime and rounded.
    fn without_last(&self, poly: &Poly, level: usize) -> Poly {
        let ring = &self.ring;
        let last = ring.level(level).places().end - 1;
        let divisor = ring.limb(last).prime();
        let coefficients = poly.coefficients(ring, super::ring::Basis { first: last, count: 1 });
        Poly::from_values(ring, ring.level(level - 1), |place, limb| {
            let limbs = ring.limb(place);
            limbs.centred(limb, &coefficients, divisor);
            ring.transform(place).forward(limb);
            let prime = limbs.prime();
            limbs.sub_from_scale(limb, poly.limb(place), prime.inverse(prime.residue(divisor.value())));
        })
    }

    /// The same vector at a lower level, with the same scale.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] for a level above the ciphertext's.
    pub fn drop_to(&self, a: &Ciphertext, level: usize) -> Result<Ciphertext> {
        if level > a.level {
            let message = format!("a ciphertext of level {} cannot be raised to level {level}", a.level);
            return Err(Error::new(Code::LevelExhausted, message));
        }
        let parts = [0, 1].map(|i| a.parts[i].restricted(&self.ring, self.ring.level(level)));
        Ok(a.with(parts, level, a.scale))
    }

    /// The same vector at a lower level with exactly this scale, by a product with a constant and a rescaling.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] for a level that is not below the ciphertext's, if the scale must change.
    pub fn adjust(&self, a: &Ciphertext, level: usize, scale: f64) -> Result<Ciphertext> {
        if (scale / a.scale - 1.0).abs() < SAME {
            return self.drop_to(a, level);
        }
        let a = self.drop_to(a, level + 1)?;
        let factor = scale * self.ring.divisor(level + 1) / a.scale;
        let mut a = self.rescale(&self.mul_constant(&a, 1.0.into(), factor)?)?;
        a.scale = scale;
        Ok(a)
    }

    /// Rotates the vector to the left by `steps` slots, or to the right if `steps` is negative. Without a key for this number
    /// of steps, it rotates by powers of two.
    ///
    /// # Errors
    /// [`Code::MissingKey`] if there are no keys for these either.
    pub fn rotate(&self, a: &Ciphertext, steps: i64) -> Result<Ciphertext> {
        let mut turned: Option<Ciphertext> = None;
        for step in self.way(steps, a.level)? {
            let element = rotation(self.ring.degree(), step);
            turned = Some(self.automorphism(turned.as_ref().unwrap_or(a), element, a.level)?);
        }
        Ok(turned.unwrap_or_else(|| a.clone()))
    }

    /// The rotations that are applied one after another.
    fn way(&self, steps: i64, level: usize) -> Result<Vec<i64>> {
        let slots = self.ring.parameters().slots().cast_signed() as i64;
        let steps = steps.rem_euclid(slots);
        let has = |step: i64| {
            let keys = self.keys.galois.get(&rotation(self.ring.degree(), step));
            keys.is_some_and(|keys| keys.iter().any(|key| key.level >= level))
        };
        if steps == 0 {
            return Ok(Vec::new());
        }
        if has(steps) {
            return Ok(vec![steps]);
        }
        let bits: Vec<i64> = (0..63).map(|bit| 1 << bit).filter(|bit| steps & bit != 0).collect();
        if bits.iter().all(|&bit| has(bit)) {
            return Ok(bits);
        }
        let message = format!(
            "there is no key for rotations by {steps} steps at level {level}, nor for its powers of two; the key's \
             owner must make one"
        );
        Err(Error::new(Code::MissingKey, message))
    }

    /// Computes several rotations of the same vector, with much less work than one after another.
    ///
    /// # Errors
    /// [`Code::MissingKey`] without a key for each number of steps.
    pub fn rotate_many(&self, a: &Ciphertext, steps: &[i64]) -> Result<Vec<Ciphertext>> {
        let mut hoisted = Hoisted::new(&a.parts[1], a.level);
        let turn = |&step: &i64| {
            let element = rotation(self.ring.degree(), step);
            if element == 1 {
                return Ok(a.clone());
            }
            let key = self.galois(element, a.level, || format!("rotations by {step} steps"))?;
            let parts = hoisted.switch(&self.ring, key, &self.turning(a, element));
            Ok(a.with(parts, a.level, a.scale))
        };
        steps.iter().map(turn).collect()
    }

    /// The complex conjugates.
    ///
    /// # Errors
    /// [`Code::MissingKey`] without a key for conjugation.
    pub fn conjugate(&self, a: &Ciphertext) -> Result<Ciphertext> {
        self.automorphism(a, CONJUGATION, a.level)
    }

    fn automorphism(&self, a: &Ciphertext, element: u64, level: usize) -> Result<Ciphertext> {
        let key = self.galois(element, level, || "conjugation".into())?;
        let parts = switch(&self.ring, &a.parts[1], level, key, &self.turning(a, element));
        Ok(a.with(parts, a.level, a.scale))
    }

    /// The work that follows key switching for an automorphism: adding the first part, and the automorphism itself.
    fn turning<'a>(&self, a: &'a Ciphertext, element: u64) -> After<'a> {
        After { add: [Some(&a.parts[0]), None], permutation: Some(self.ring.permutation(element)) }
    }

    pub(super) fn galois(&self, element: u64, level: usize, what: impl Fn() -> String) -> Result<&SwitchKey> {
        for_level(self.keys.galois.get(&element).map_or(&[], Vec::as_slice), level, what)
    }

    /// Computes for each slot the sum of `count` slots from there on, cyclically. `count` is a power of two. If the vector has
    /// `count` slots, each result is the total.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for another count; [`Code::MissingKey`] without keys for the powers of two below it.
    pub fn inner_sum(&self, a: &Ciphertext, count: usize) -> Result<Ciphertext> {
        if !count.is_power_of_two() || count > a.slots {
            let message = format!("cannot sum {count} slots; use a power of two up to {}", a.slots);
            return Err(Error::new(Code::BadArgument, message));
        }
        let mut sum = a.clone();
        for bit in 0..count.trailing_zeros() {
            sum = self.add(&sum, &self.rotate(&sum, 1 << bit)?)?;
        }
        Ok(sum)
    }

    pub(super) fn exhausted(&self, what: &str) -> Error {
        let set = self.ring.parameters();
        let message = format!(
            "{what} needs a level, but none is left; use a parameter set with more than the {} levels of {:?}",
            set.levels, set.name
        );
        Error::new(Code::LevelExhausted, message)
    }

    fn check_pair(&self, a: &Ciphertext, b: &Ciphertext) -> Result<()> {
        same_key(a.key, self.keys.id())?;
        same_key(a.key, b.key)?;
        same_slots(a.slots, b.slots)
    }

    fn check_plain(&self, a: &Ciphertext, b: &Plaintext) -> Result<()> {
        same_key(a.key, self.keys.id())?;
        same_slots(a.slots, b.slots)?;
        if b.level < a.level {
            let message = format!("the plaintext has level {}, the ciphertext level {}", b.level, a.level);
            return Err(differ(&message));
        }
        Ok(())
    }
}

fn same_key(a: super::keys::KeyId, b: super::keys::KeyId) -> Result<()> {
    let foreign = || Error::new(Code::ForeignKey, "a ciphertext was encrypted under another key");
    (a == b).then_some(()).ok_or_else(foreign)
}

fn same_slots(a: usize, b: usize) -> Result<()> {
    let message = || differ(&format!("one vector has {a} slots, the other {b}"));
    (a == b).then_some(()).ok_or_else(message)
}

fn same_scale(a: f64, b: f64) -> Result<()> {
    let message = || differ(&format!("one vector has the scale 2^{:.3}, the other 2^{:.3}", a.log2(), b.log2()));
    ((a / b - 1.0).abs() < SAME).then_some(()).ok_or_else(message)
}

fn differ(how: &str) -> Error {
    Error::new(Code::VectorsDiffer, how.to_owned())
}

/// The smallest key that reaches up to a level.
pub(super) fn for_level(keys: &[Arc<SwitchKey>], level: usize, what: impl Fn() -> String) -> Result<&SwitchKey> {
    keys.iter().filter(|key| key.level >= level).min_by_key(|key| key.level).map(|key| &**key).ok_or_else(|| {
        let message = match keys.iter().map(|key| key.level).max() {
            Some(most) => format!("the key for {} reaches level {most}, but level {level} is needed", what()),
            None => format!("there is no key for {}; the key's owner must make one", what()),
        };
        Error::new(Code::MissingKey, message)
    })
}
