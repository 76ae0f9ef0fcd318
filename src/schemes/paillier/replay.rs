//! The masks that a result must have: the filters of its history, applied to the exponents of the photos' masks. Compiled only
//! with the feature `client`.
//!
//! The mask of a product of ciphertexts is the product of their masks. Masks are powers of one generator, so their exponents
//! are added where ciphertexts are multiplied. Compared with a decryption, this costs almost nothing.

use num_bigint::{BigInt, BigUint, Sign};

use super::circuit::algebra::Integers;
use super::circuit::linear::Linear;
use super::circuit::row::combine;
use super::recipe::Recipe;
use super::secret::SecretKey;
use super::secret::masks::{Exponents, MaskSeed};
use super::{ImageHead, Origin};
use crate::error::{Code, Error, Result};

/// The exponents of a result's masks, row by row. They may be negative, and larger than necessary.
pub(crate) struct Replay {
    recipe: Recipe,
    head: ImageHead,
    seeds: Vec<(Origin, MaskSeed)>,
    node: Node,
    /// The next row.
    next: u32,
}

type Cells = Vec<[BigInt; 2]>;

/// A photo, or the result of a filter of other nodes.
enum Node {
    Photo { origin: Origin, columns: u64, next: u64 },
    Filtered { inputs: Vec<(Node, Linear<Integers>)> },
}

impl Replay {
    pub(crate) fn new(key: &SecretKey, head: &ImageHead) -> Result<Self> {
        let recipe = Recipe::of(head)?;
        if recipe.encoding()? != head.encoding {
            return Err(Error::new(
                Code::WrongResult,
                "the image's header does not match the filters in its history; do not rely on this result, and use \
                 another server",
            ));
        }
        let seeds = head.origins.iter().map(|origin| Ok((*origin, key.mask_seed(origin)?))).collect::<Result<_>>()?;
        let node = Node::new(&recipe, head, (0, 0));
        Ok(Self { recipe, head: head.clone(), seeds, node, next: 0 })
    }

    /// The exponents of a row. Rows in ascending order are cheap; an earlier row requires a new start.
    pub(crate) fn row(&mut self, row: u32) -> Result<Vec<[BigInt; 2]>> {
        if row < self.next {
            self.node = Node::new(&self.recipe, &self.head, (0, 0));
            self.next = 0;
        }
        loop {
            let exponents = self.node.next_row(&self.seeds)?;
            self.next += 1;
            if self.next > row {
                return Ok(exponents);
            }
        }
    }
}

impl Node {
    /// The result of a recipe, with `more` pixels of halo than the head's.
    fn new(recipe: &Recipe, head: &ImageHead, more: (u64, u64)) -> Self {
        Self::after(recipe, recipe.steps.len(), head, more)
    }

    /// The result of the first `steps` steps of a recipe.
    fn after(recipe: &Recipe, steps: usize, head: &ImageHead, more: (u64, u64)) -> Self {
        let columns = u64::from(head.layout.columns()) + 2 * more.0;
        let Some(before) = steps.checked_sub(1) else {
            return Self::Photo { origin: recipe.origin, columns, next: 0 };
        };
        let step = &recipe.steps[before];
        let (rx, ry) = step.filter.radius();
        let wider = (more.0 + u64::from(rx), more.1 + u64::from(ry));
        let width = usize::try_from(columns + 2 * u64::from(rx)).unwrap_or(usize::MAX);
        let mut inputs = vec![Self::after(recipe, before, head, wider)];
        inputs.extend(step.second.as_ref().map(|second| Self::new(second, head, wider)));
        let kernels = step.filter.kernels();
        Self::Filtered {
            inputs: inputs
                .into_iter()
                .zip(&kernels)
                .map(|(node, kernel)| (node, Linear::new(&Integers, kernel, width)))
                .collect(),
        }
    }

    fn next_row(&mut self, seeds: &[(Origin, MaskSeed)]) -> Result<Cells> {
        match self {
            Self::Photo { origin, columns, next } => {
                let (_, seed) = seeds
                    .iter()
                    .find(|(other, _)| other == origin)
                    .ok_or_else(|| Error::new(Code::Internal, "a photo is missing"))?;
                let row = *next * *columns..(*next + 1) * *columns;
                *next += 1;
                let signed = |exponent: BigUint| BigInt::from_biguint(Sign::Plus, exponent);
                row.map(|index| Ok(Exponents::map(seed.exponents(index)?, signed))).collect()
            }
            Self::Filtered { inputs } => {
                let mut sum = None;
                for (node, kernel) in inputs {
                    let row = loop {
                        if let Some(row) = kernel.push(&Integers, node.next_row(seeds)?) {
                            break row;
                        }
                    };
                    sum = Some(match sum {
                        None => row,
                        Some(sum) => combine(&Integers, sum, row),
                    });
                }
                let sum = sum.ok_or_else(|| Error::new(Code::Internal, "a filter needs an image"))?;
                let mut row = sum.plus;
                for (cell, minus) in row.iter_mut().zip(sum.minus.into_iter().flatten()) {
                    cell.iter_mut().zip(minus).for_each(|(a, b)| *a -= b);
                }
                Ok(row)
            }
        }
    }
}
