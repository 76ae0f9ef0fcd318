//! Checks that ciphertexts are units, many at a time.

use std::sync::Arc;

use num_bigint::BigUint;
use num_traits::One as _;

use super::key::PublicKey;
use crate::error::Result;
use crate::math::montgomery::Limb;
use crate::math::pair::{Batch, LowBatch};
use crate::math::parallel;

/// Checks with one division that many ciphertexts are units: multiplies all of them modulo `n` and checks the product.
pub struct UnitCheck {
    key: Arc<PublicKey>,
    product: LowBatch,
}

impl UnitCheck {
    /// An empty check.
    #[must_use]
    pub fn new(key: &Arc<PublicKey>) -> Self {
        let product = key.pairs().low(key.pairs().one());
        Self { key: Arc::clone(key), product }
    }

    /// Loads a row of ciphertexts for arithmetic, on all cores, and adds them. Unused lanes of the last batch are filled with
    /// ones.
    pub(crate) fn load_row(&mut self, row: &[Limb]) -> Vec<Batch> {
        let key = Arc::clone(&self.key);
        let (pairs, width) = (key.pairs(), key.square().width());
        let groups: Vec<_> = row.chunks(width * pairs.lanes()).collect();
        let row = parallel::map(groups.len(), |group| pairs.load(groups[group].chunks_exact(width)));
        for batch in &row {
            self.add(batch);
        }
        row
    }

    /// Adds the limbs of ciphertexts, one after another.
    pub fn add_row(&mut self, row: &[Limb]) {
        self.load_row(row);
    }

    /// Adds loaded ciphertexts.
    pub fn add(&mut self, loaded: &Batch) {
        let pairs = self.key.pairs();
        self.product = pairs.mul_low(&self.product, &pairs.low(loaded));
    }

    /// Whether all were units.
    ///
    /// # Errors
    /// [`Code::CiphertextNotUnit`](crate::error::Code::CiphertextNotUnit).
    pub fn finish(self) -> Result<()> {
        let n = self.key.n();
        let product = self.key.pairs().leave_low(&self.product).iter().fold(BigUint::one(), |a, b| a * b % n);
        self.key.check_unit(&product)
    }
}
