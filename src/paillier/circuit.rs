//! Linear filters on rows of ciphertexts.
//!
//! Rows go in one by one from the top, and filtered rows come out as soon as enough of them are known, so only a band of
//! `2 * ry + 1` rows is in memory. A sum of pixels is a product of ciphertexts, a weight is a power, and a negative
//! weight is a power of the inverse; all inverses of a row are taken with one division.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use num_bigint::{BigInt, BigUint};
use num_traits::One as _;

use super::filter::Filter;
use super::kernel::Kernel;
use super::key::PublicKey;
use super::recipe;
use super::layout::{ImageHead, Layout, MAX_HISTORY, MAX_PHOTOS};
use crate::error::{Code, Error, Result};
use crate::math::montgomery::Limb;
use crate::math::pair::{Batch, PairModulus};

/// A filter at work.
pub struct Circuit {
    key: Arc<PublicKey>,
    inputs: Vec<Input>,
    /// What all slots are raised by, as a ciphertext without mask.
    constant: Option<Batch>,
    output: ImageHead,
    /// The product of all ciphertexts seen, lane by lane, to check that they are units.
    product: Batch,
    rows_left: u32,
}

/// One of the images that go in.
struct Input {
    kernel: Kernel,
    columns: usize,
    /// The band of rows that the kernel covers.
    band: VecDeque<Row>,
}

/// A row of ciphertexts, as many in each batch as the arithmetic works on at a time. What is left of the last batch is
/// filled with ones.
type Row = Vec<Batch>;

/// Products for the positive weights and, where there are negative ones, products to divide by.
struct Signed {
    plus: Row,
    minus: Option<Row>,
}

impl Circuit {
    /// Prepares a filter for images with these heads, one for each input of the filter.
    ///
    /// # Errors
    /// [`Code::HaloTooSmall`], [`Code::SlotOverflow`] if the images were encrypted for a smaller filter;
    /// [`Code::ImagesDiffer`], [`Code::ForeignKey`] if two images do not go together.
    pub fn new(filter: &Filter, heads: &[ImageHead]) -> Result<Self> {
        let [first, rest @ ..] = heads else {
            return Err(Error::new(Code::Internal, "a circuit needs an image"));
        };
        if heads.len() != filter.inputs() {
            return Err(Error::new(Code::BadArgument, format!("this filter takes {} images", filter.inputs())));
        }
        rest.iter().try_for_each(|other| same_shape(first, other))?;
        let output = output_head(filter, heads)?;
        let kernels = filter.kernels();
        let mut inputs = Vec::new();
        // slot' = sum of w * slot + constant, where slot = raw + bias and slot' = raw' + bias'.
        let mut constant = i128::from(output.encoding.bias);
        if let Filter::Brightness { offset } = filter {
            constant += i128::from(*offset) * i128::from(output.encoding.divisor);
        }
        for (kernel, head) in kernels.into_iter().zip(heads) {
            let (plus, minus) = kernel.sums();
            constant -= i128::from(head.encoding.bias) * (i128::from(plus) - i128::from(minus));
            let columns = usize::try_from(head.layout.columns())
                .map_err(|_| Error::new(Code::ImageTooLarge, "the image is too wide"))?;
            inputs.push(Input { kernel, columns, band: VecDeque::new() });
        }
        let key = Arc::clone(&first.key);
        let pairs = key.pairs();
        let constant = match constant {
            0 => None,
            constant => Some(pairs.broadcast(&all_slots(&key, &output.layout, constant)?)),
        };
        let product = pairs.one().clone();
        Ok(Self { key, inputs, constant, output, product, rows_left: first.layout.rows() })
    }

    /// The head of the image that comes out.
    #[must_use]
    pub fn output(&self) -> &ImageHead {
        &self.output
    }

    /// Takes the next row of each input, as limbs of ciphertexts that are in range; gives the next row of the result,
    /// once there is one.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the rows have the wrong length or there are too many; [`Code::CiphertextNotUnit`].
    pub fn push(&mut self, rows: &[Vec<Limb>]) -> Result<Option<Vec<Limb>>> {
        let pairs = self.key.pairs();
        let width = self.key.square().width();
        let fits = rows.len() == self.inputs.len()
            && rows.iter().zip(&self.inputs).all(|(row, input)| row.len() == input.columns * width);
        if !fits || self.rows_left == 0 {
            return Err(Error::new(Code::BadArgument, "the rows do not fit the image"));
        }
        self.rows_left -= 1;
        for (row, input) in rows.iter().zip(&mut self.inputs) {
            let groups: Vec<_> = row.chunks(width * pairs.lanes()).collect();
            let row: Row = parallel::map(groups.len(), |group| pairs.enter(groups[group].chunks_exact(width)));
            for batch in &row {
                pairs.mul_assign(&mut self.product, batch);
            }
            if input.band.len() > 2 * usize::from(input.kernel.radius().1) {
                input.band.pop_front();
            }
            input.band.push_back(row);
        }
        if self.inputs.iter().any(|input| input.band.len() <= 2 * usize::from(input.kernel.radius().1)) {
            return Ok(None);
        }
        self.filtered_row().map(Some)
    }

    /// Checks that all rows came and that every ciphertext was a unit. Until then, nothing that came out is to be used.
    ///
    /// # Errors
    /// [`Code::Truncated`], [`Code::CiphertextNotUnit`].
    pub fn finish(self) -> Result<()> {
        if self.rows_left > 0 {
            return Err(Error::new(Code::Truncated, format!("{} rows of ciphertexts are missing", self.rows_left)));
        }
        let squared = self.key.n() * self.key.n();
        let product = self.key.pairs().leave(&self.product).iter().fold(BigUint::one(), |a, b| a * b % &squared);
        self.key.check_unit(&product)
    }

    fn filtered_row(&self) -> Result<Vec<Limb>> {
        let pairs = self.key.pairs();
        let rows: Vec<Signed> = self.inputs.iter().map(|input| input.apply(pairs)).collect();
        let first = rows.first().ok_or_else(|| Error::new(Code::Internal, "a circuit needs an image"))?;
        let inverses = rows.iter().any(|row| row.minus.is_some()).then(|| self.inverses(&rows)).transpose()?;
        let width = self.key.square().width();
        let columns = self.output.layout.columns() as usize;
        let cells = parallel::map(first.plus.len(), |group| {
            let mut product = first.plus[group].clone();
            for row in &rows[1..] {
                pairs.mul_assign(&mut product, &row.plus[group]);
            }
            for factor in inverses.iter().map(|row| &row[group]).chain(&self.constant) {
                pairs.mul_assign(&mut product, factor);
            }
            pairs.leave_limbs(&product, width)
        });
        let mut row = cells.concat();
        row.truncate(columns * width);
        Ok(row)
    }

    /// The inverses of what the rows are to be divided by, with one division for all (Montgomery's trick).
    fn inverses(&self, rows: &[Signed]) -> Result<Row> {
        let pairs = self.key.pairs();
        let mut divisors: Option<Row> = None;
        for minus in rows.iter().filter_map(|row| row.minus.as_ref()) {
            match &mut divisors {
                None => divisors = Some(minus.clone()),
                Some(divisors) => divisors.iter_mut().zip(minus).for_each(|(a, b)| pairs.mul_assign(a, b)),
            }
        }
        let divisors = divisors.unwrap_or_default();
        // before[k] is the product of the first k batches, lane by lane.
        let mut before = vec![pairs.one().clone()];
        for divisor in &divisors {
            let mut next = pairs.empty();
            pairs.mul(&mut next, &before[before.len() - 1], divisor);
            before.push(next);
        }
        let mut inverse = self.invert_lanes(&before[divisors.len()])?;
        let mut inverses = Vec::with_capacity(divisors.len());
        for (divisor, before) in divisors.iter().zip(&before).rev() {
            let mut single = pairs.empty();
            pairs.mul(&mut single, &inverse, before);
            inverses.push(single);
            pairs.mul_assign(&mut inverse, divisor);
        }
        inverses.reverse();
        Ok(inverses)
    }

    /// The inverse of each lane.
    fn invert_lanes(&self, batch: &Batch) -> Result<Batch> {
        let squared = self.key.n() * self.key.n();
        let lanes = self.key.pairs().leave(batch);
        let mut before = vec![BigUint::one()];
        for lane in &lanes {
            before.push(&before[before.len() - 1] * lane % &squared);
        }
        let all = &before[lanes.len()];
        let mut inverse = all.modinv(&squared).ok_or_else(|| {
            Error::new(
                Code::CiphertextNotUnit,
                "a ciphertext shares a factor with the modulus, so it was not made by encryption; encrypt the photo again",
            )
        })?;
        let mut inverses = Vec::with_capacity(lanes.len());
        for (lane, before) in lanes.iter().zip(&before).rev() {
            inverses.push(&inverse * before % &squared);
            inverse = inverse * lane % &squared;
        }
        inverses.reverse();
        Ok(self.key.pairs().enter_numbers(&inverses))
    }
}

impl Input {
    /// The kernel on the band: one row, narrower by the kernel's reach.
    fn apply(&self, pairs: &PairModulus) -> Signed {
        let reach = 2 * usize::from(self.kernel.radius().0);
        let columns = self.columns - reach;
        match &self.kernel {
            Kernel::Separable { vertical, horizontal } => {
                let down = signed_row(pairs, self.columns, |first| {
                    let weighted = self.band.iter().zip(vertical);
                    weighted.map(|(row, &weight)| (pairs.gather(row, first), weight)).collect()
                });
                if horizontal == &[1] {
                    return down;
                }
                signed_row(pairs, columns, |first| {
                    let mut terms = Vec::with_capacity(2 * horizontal.len());
                    for (i, &weight) in horizontal.iter().enumerate() {
                        terms.push((pairs.gather(&down.plus, first + i), weight));
                        if let Some(minus) = &down.minus {
                            terms.push((pairs.gather(minus, first + i), -weight));
                        }
                    }
                    terms
                })
            }
            Kernel::Full(rows) => signed_row(pairs, columns, |first| {
                let weights = rows
                    .iter()
                    .zip(&self.band)
                    .flat_map(|(weights, row)| weights.iter().enumerate().map(move |(i, &weight)| (row, i, weight)));
                let used = weights.filter(|&(_, _, weight)| weight != 0);
                used.map(|(row, i, weight)| (pairs.gather(row, first + i), weight)).collect()
            }),
        }
    }
}

/// A row of products of powers: `terms` gives ciphertexts and their weights for as many columns as a batch has lanes,
/// from a first one on.
fn signed_row<'a>(
    pairs: &PairModulus,
    columns: usize,
    terms: impl Fn(usize) -> Vec<(Cow<'a, Batch>, i64)> + Sync,
) -> Signed {
    let groups = columns.div_ceil(pairs.lanes());
    let negative = terms(0).iter().any(|&(_, weight)| weight < 0);
    let both = parallel::map(groups, |group| {
        let terms = terms(group * pairs.lanes());
        let side = |sign: i64| {
            let chosen = terms.iter().filter(|(_, weight)| weight * sign > 0);
            product_of_powers(pairs, &chosen.map(|(c, weight)| (&**c, weight.unsigned_abs())).collect::<Vec<_>>())
        };
        (side(1), negative.then(|| side(-1)))
    });
    let (plus, minus): (Row, Vec<Option<Batch>>) = both.into_iter().unzip();
    Signed { plus, minus: minus.into_iter().collect() }
}

/// The product of all `base^weight`: Straus's method, one squaring for each bit of the largest weight, whatever the
/// number of bases. The weights are public.
fn product_of_powers(pairs: &PairModulus, terms: &[(&Batch, u64)]) -> Batch {
    let largest = terms.iter().map(|&(_, weight)| weight).max().unwrap_or(0);
    let mut product: Option<Batch> = None;
    for bit in (0..u64::BITS - largest.leading_zeros()).rev() {
        if let Some(product) = &mut product {
            pairs.square_assign(product);
        }
        for (base, _) in terms.iter().filter(|&&(_, weight)| weight >> bit & 1 == 1) {
            match &mut product {
                None => product = Some((*base).clone()),
                Some(product) => pairs.mul_assign(product, base),
            }
        }
    }
    product.unwrap_or_else(|| pairs.one().clone())
}

/// The ciphertext, without mask, of the same constant in every slot in use.
fn all_slots(key: &PublicKey, layout: &Layout, constant: i128) -> Result<BigUint> {
    let ones = (0..layout.used_slots())
        .fold(BigInt::ZERO, |sum, slot| sum + (BigInt::from(1) << (slot * u32::from(layout.slot_bits))));
    let packed = ones * BigInt::from(constant);
    // The constant may be negative, or larger than a slot, while the sum it completes is neither.
    let n = BigInt::from(key.n().clone());
    let residue = ((packed % &n) + &n) % &n;
    let residue = residue.to_biguint().ok_or_else(|| Error::new(Code::Internal, "a residue is negative"))?;
    // (1 + n)^m = 1 + m n modulo n^2, and that is below n^2.
    Ok(residue * key.n() + 1u8)
}

fn output_head(filter: &Filter, heads: &[ImageHead]) -> Result<ImageHead> {
    let first = &heads[0];
    let (rx, ry) = filter.radius();
    let halo = first.layout.halo;
    let (Some(left), Some(above)) = (halo.0.checked_sub(rx), halo.1.checked_sub(ry)) else {
        return Err(Error::new(
            Code::HaloTooSmall,
            format!(
                "the filter reaches {rx} x {ry} pixels, the photo was encrypted with a halo of {} x {}; \
                 encrypt it again with --radius {} (or --for and the filter)",
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

/// Work on the batches of a row, on all cores where there are any.
mod parallel {
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        use rayon::prelude::*;
        (0..count).into_par_iter().map(work).collect()
    }

    /// In the browser each worker has one core.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn map<T>(count: usize, work: impl Fn(usize) -> T) -> Vec<T> {
        (0..count).map(work).collect()
    }
}
