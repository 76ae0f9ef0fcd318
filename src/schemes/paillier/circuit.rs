//! Linear filters on rows of ciphertexts.
//!
//! Rows go in one by one from the top, and a filtered row comes out as soon as it is known, so memory holds only as many rows
//! as the filter is high. A sum of pixels is a product of ciphertexts, a weight is a power, and a negative weight is a power of
//! the inverse. A single inverse is expensive, but many together are cheap (P. L. Montgomery, "Speeding the Pollard and
//! elliptic curve methods of factorization", 1987, section 10.3.1). So rows that need inverses wait until there are enough of
//! them.
//!
//! | file | content |
//! |---|---|
//! | `plan` | the cheapest way to compute a kernel |
//! | `linear` | applies a kernel to rows |
//! | `boxes` | sums of many rows or columns |
//! | `algebra` | what is summed: ciphertexts, or the exponents of masks |
//! | `invert` | many inverses with one division |

pub(crate) mod algebra;
mod boxes;
mod invert;
pub(crate) mod linear;
mod plan;
pub(crate) mod row;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use num_bigint::{BigInt, BigUint};

use self::linear::Linear;
use self::row::{Row, Signed, combine};
use super::filter::Filter;
use super::key::PublicKey;
use super::layout::{ImageHead, Layout, MAX_HISTORY, MAX_PHOTOS};
use super::recipe;
use super::units::UnitCheck;
use crate::error::{Code, Error, Result};
use crate::math::montgomery::Limb;
use crate::math::pair::{Batch, PairModulus};
use crate::math::parallel;

/// The number of ciphertexts to invert together. The last row can exceed it.
const INVERTED_TOGETHER: usize = 1024;

/// The state of a filter that is being applied.
pub struct Circuit {
    key: Arc<PublicKey>,
    kernels: Vec<Linear<PairModulus>>,
    /// Columns of each input.
    columns: usize,
    /// The factor of every product at the end: it adds the constant to all slots and corrects the factor that loading leaves.
    last_factor: Batch,
    output: ImageHead,
    /// Checks all ciphertexts that go in.
    units: UnitCheck,
    rows_left: u32,
    /// Rows that are finished except for their inverses.
    waiting: Vec<Signed<PairModulus>>,
}

impl Circuit {
    /// Prepares a filter for images with these heads, one for each input of the filter.
    ///
    /// # Errors
    /// [`Code::HaloTooSmall`], [`Code::SlotOverflow`] if the images were encrypted for a smaller filter;
    /// [`Code::ImagesDiffer`], [`Code::ForeignKey`] if two images do not match.
    pub fn new(filter: &Filter, heads: &[ImageHead]) -> Result<Self> {
        let output = output_head(filter, heads)?;
        let first = &heads[0];
        // slot' = sum of w * slot + constant, where slot = raw + bias and slot' = raw' + bias'.
        let mut constant = i128::from(output.encoding.bias);
        if let Filter::Brightness { offset } = filter {
            constant += i128::from(*offset) * i128::from(output.encoding.divisor);
        }
        let mut weight = 0;
        let kernels = filter.kernels();
        for (kernel, head) in kernels.iter().zip(heads) {
            let (plus, minus) = kernel.sums();
            constant -= i128::from(head.encoding.bias) * (i128::from(plus) - i128::from(minus));
            weight += plus - minus;
        }
        let columns = usize::try_from(first.layout.columns())
            .map_err(|_| Error::new(Code::ImageTooLarge, "the image is too wide"))?;
        let key = Arc::clone(&first.key);
        let squared = key.n() * key.n();
        let raise = all_slots(&key, &output.layout, constant)?;
        let last_factor = key.pairs().plain(&(raise * key.pairs().unload_factor(weight) % squared));
        Ok(Self {
            kernels: kernels.iter().map(|kernel| Linear::new(key.pairs(), kernel, columns)).collect(),
            columns,
            last_factor,
            output,
            units: UnitCheck::new(&key),
            rows_left: first.layout.rows(),
            waiting: Vec::new(),
            key,
        })
    }

    /// The head of the resulting image.
    #[must_use]
    pub fn output(&self) -> &ImageHead {
        &self.output
    }

    /// Takes the next row of each input, as limbs of ciphertexts in range. Returns the next rows of the result, if any are
    /// known.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the rows have the wrong length or there are too many; [`Code::CiphertextNotUnit`].
    pub fn push(&mut self, rows: &[Vec<Limb>]) -> Result<Vec<Vec<Limb>>> {
        let key = Arc::clone(&self.key);
        let width = key.square().width();
        let fits = rows.len() == self.kernels.len() && rows.iter().all(|row| row.len() == self.columns * width);
        if !fits || self.rows_left == 0 {
            return Err(Error::new(Code::BadArgument, "the rows do not fit the image"));
        }
        self.rows_left -= 1;
        let mut sum: Option<Signed<PairModulus>> = None;
        for (row, kernel) in rows.iter().zip(&mut self.kernels) {
            let loaded = self.units.load_row(row);
            let Some(filtered) = kernel.push(key.pairs(), loaded) else { continue };
            sum = Some(match sum {
                None => filtered,
                Some(sum) => combine(key.pairs(), sum, filtered),
            });
        }
        // All kernels of a filter have the same height.
        self.waiting.extend(sum);
        let inverting = self.waiting.iter().filter_map(|row| row.minus.as_ref()).map(Vec::len).sum::<usize>();
        if self.rows_left > 0 && inverting > 0 && inverting * key.pairs().lanes() < INVERTED_TOGETHER {
            return Ok(Vec::new());
        }
        self.take_waiting()
    }

    /// Checks that all rows have arrived and that every ciphertext is a unit. Do not use any result before that.
    ///
    /// # Errors
    /// [`Code::Truncated`], [`Code::CiphertextNotUnit`].
    pub fn finish(self) -> Result<()> {
        if self.rows_left > 0 {
            return Err(Error::new(Code::Truncated, format!("{} rows of ciphertexts are missing", self.rows_left)));
        }
        self.units.finish()
    }

    /// Finishes the waiting rows.
    fn take_waiting(&mut self) -> Result<Vec<Vec<Limb>>> {
        let waiting = std::mem::take(&mut self.waiting);
        let pairs = self.key.pairs();
        let minus: Vec<&Batch> = waiting.iter().filter_map(|row| row.minus.as_ref()).flatten().collect();
        let mut inverses = invert::all(&self.key, &minus)?.into_iter();
        let rows: Vec<(&Row<PairModulus>, Option<Vec<Batch>>)> = waiting
            .iter()
            .map(|row| (&row.plus, row.minus.as_ref().map(|minus| inverses.by_ref().take(minus.len()).collect())))
            .collect();
        let width = self.key.square().width();
        let columns = self.output.layout.columns() as usize;
        let finish = |(plus, inverses): (&Row<PairModulus>, Option<Vec<Batch>>)| {
            let cells = parallel::map(plus.len(), |group| match &inverses {
                None => pairs.leave_times(&plus[group], &self.last_factor, width),
                Some(inverses) => {
                    let mut product = pairs.empty();
                    pairs.mul(&mut product, &plus[group], &inverses[group]);
                    pairs.leave_times(&product, &self.last_factor, width)
                }
            });
            let mut row = cells.concat();
            row.truncate(columns * width);
            row
        };
        Ok(rows.into_iter().map(finish).collect())
    }
}

/// The ciphertext, without a mask, of the same constant in every used slot.
fn all_slots(key: &PublicKey, layout: &Layout, constant: i128) -> Result<BigUint> {
    let ones = (0..layout.used_slots())
        .fold(BigInt::ZERO, |sum, slot| sum + (BigInt::from(1) << (slot * u32::from(layout.slot_bits))));
    let packed = ones * BigInt::from(constant);
    // The constant may be negative or larger than a slot, although the sum that it completes is neither.
    let n = BigInt::from(key.n().clone());
    let residue = ((packed % &n) + &n) % &n;
    let residue = residue.to_biguint().ok_or_else(|| Error::new(Code::Internal, "a residue is negative"))?;
    // (1 + n)^m = 1 + m n modulo n^2, and that is below n^2.
    Ok(residue * key.n() + 1u8)
}

/// The head of a filter's result for images with these heads. No other head is correct for this result.
///
/// # Errors
/// As [`Circuit::new`].
pub fn output_head(filter: &Filter, heads: &[ImageHead]) -> Result<ImageHead> {
    let [first, rest @ ..] = heads else {
        return Err(Error::new(Code::Internal, "a filter needs an image"));
    };
    if heads.len() != filter.inputs() {
        return Err(Error::new(Code::BadArgument, format!("this filter takes {} images", filter.inputs())));
    }
    rest.iter().try_for_each(|other| same_shape(first, other))?;
    let (rx, ry) = filter.radius();
    let halo = first.layout.halo;
    let (Some(left), Some(above)) = (halo.0.checked_sub(rx), halo.1.checked_sub(ry)) else {
        return Err(Error::new(
            Code::HaloTooSmall,
            format!(
                "the filter reaches {rx} x {ry} pixels, but the photo was encrypted with a halo of {} x {}; encrypt \
                 it again with --radius {} (or --for with the filter)",
                halo.0,
                halo.1,
                rx.max(ry)
            ),
        ));
    };
    let encodings: Vec<_> = heads.iter().map(|head| head.encoding).collect();
    let encoding = filter.apply(&encodings)?;
    encoding.check(first.layout.slot_bits)?;
    let layout = Layout { halo: (left, above), ..first.layout.clone() };
    let origins: Vec<_> = heads.iter().flat_map(|head| head.origins.iter().copied()).collect();
    if origins.len() > MAX_PHOTOS {
        return Err(Error::new(Code::BadFilter, format!("an image cannot be made of more than {MAX_PHOTOS} photos")));
    }
    let histories: Vec<_> = heads.iter().map(|head| head.history.as_str()).collect();
    let history = recipe::history(filter, &histories);
    if history.len() > MAX_HISTORY {
        return Err(Error::new(Code::BadFilter, "too many filters were applied to this image"));
    }
    Ok(ImageHead { key: Arc::clone(&first.key), layout, encoding, history, origins })
}

fn same_shape(a: &ImageHead, b: &ImageHead) -> Result<()> {
    if a.key != b.key {
        return Err(Error::new(
            Code::ForeignKey,
            format!("the two images are encrypted under different keys, {} and {}", a.key.id(), b.key.id()),
        ));
    }
    if (Layout { border: a.layout.border, ..b.layout.clone() }) != a.layout || a.encoding.divisor != b.encoding.divisor
    {
        return Err(Error::new(
            Code::ImagesDiffer,
            "the two images differ in size, colours, halo, slots or divisor; encrypt both with the same options",
        ));
    }
    Ok(())
}
