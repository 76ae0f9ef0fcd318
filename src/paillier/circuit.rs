//! Linear filters on rows of ciphertexts.
//!
//! Rows go in one by one from the top, and filtered rows come out as soon as enough of them are known, so only a band of
//! `2 * ry + 1` rows is in memory. A sum of pixels is a product of ciphertexts, a weight is a power, and a negative
//! weight is a power of the inverse; all inverses of a row are taken with one division.

use std::collections::VecDeque;
use std::sync::Arc;

use num_bigint::{BigInt, BigUint};

use super::filter::Filter;
use super::kernel::Kernel;
use super::key::PublicKey;
use super::layout::{ImageHead, Layout, MAX_HISTORY};
use crate::error::{Code, Error, Result};
use crate::math::montgomery::{Limb, Modulus};

/// A filter at work.
pub struct Circuit {
    key: Arc<PublicKey>,
    inputs: Vec<Input>,
    /// What all slots are raised by, as a ciphertext without mask in Montgomery form.
    constant: Option<Vec<Limb>>,
    output: ImageHead,
    /// The product of all ciphertexts seen, to check that they are units.
    product: Vec<Limb>,
    rows_left: u32,
}

/// One of the images that go in.
struct Input {
    kernel: Kernel,
    columns: usize,
    /// The band of rows that the kernel covers, in Montgomery form.
    band: VecDeque<Vec<Limb>>,
}

/// Products for the positive weights and, where there are negative ones, products to divide by.
struct Signed {
    plus: Vec<Limb>,
    minus: Option<Vec<Limb>>,
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
        let constant = if constant == 0 { None } else { Some(all_slots(&key, &output.layout, constant)?) };
        let product = key.square().one().to_vec();
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
    pub fn push(&mut self, rows: Vec<Vec<Limb>>) -> Result<Option<Vec<Limb>>> {
        let modulus = self.key.square();
        let width = modulus.width();
        let fits = rows.len() == self.inputs.len()
            && rows.iter().zip(&self.inputs).all(|(row, input)| row.len() == input.columns * width);
        if !fits || self.rows_left == 0 {
            return Err(Error::new(Code::BadArgument, "the rows do not fit the image"));
        }
        self.rows_left -= 1;
        for (mut row, input) in rows.into_iter().zip(&mut self.inputs) {
            let parts = parallel::map_chunks(&mut row, width, |_, ciphertexts| {
                let mut product = modulus.one().to_vec();
                self.key.gather_units(&mut product, ciphertexts);
                for ciphertext in ciphertexts.chunks_exact_mut(width) {
                    modulus.enter(ciphertext);
                }
                product
            });
            for part in parts {
                modulus.mul_assign(&mut self.product, &part);
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
        self.key.check_units(&self.product)
    }

    fn filtered_row(&self) -> Result<Vec<Limb>> {
        let modulus = self.key.square();
        let width = modulus.width();
        let mut sum: Option<Signed> = None;
        for input in &self.inputs {
            let row = input.apply(modulus);
            sum = Some(match sum {
                None => row,
                Some(before) => before.times(row, modulus),
            });
        }
        let Signed { plus: mut row, minus } =
            sum.ok_or_else(|| Error::new(Code::Internal, "a circuit needs an image"))?;
        let squared = self.key.n() * self.key.n();
        let divided = parallel::map_chunks(&mut row, width, |start, ciphertexts| {
            if let Some(minus) = &minus {
                divide(modulus, &squared, ciphertexts, &minus[start..start + ciphertexts.len()])?;
            }
            for ciphertext in ciphertexts.chunks_exact_mut(width) {
                if let Some(constant) = &self.constant {
                    modulus.mul_assign(ciphertext, constant);
                }
                modulus.leave(ciphertext);
            }
            Ok(())
        });
        divided.into_iter().collect::<Result<()>>()?;
        Ok(row)
    }
}

impl Input {
    /// The kernel on the band: one row, narrower by the kernel's reach.
    fn apply(&self, modulus: &Modulus) -> Signed {
        let width = modulus.width();
        let reach = 2 * usize::from(self.kernel.radius().0);
        let columns = self.columns - reach;
        let at = |row: usize, column: usize| &self.band[row][column * width..(column + 1) * width];
        match &self.kernel {
            Kernel::Separable { vertical, horizontal } => {
                let down = signed_row(modulus, self.columns, |column| {
                    vertical.iter().enumerate().map(move |(row, &weight)| (at(row, column), weight)).collect()
                });
                if horizontal == &[1] {
                    return down;
                }
                let cell = |row: &'_ [Limb], column: usize| -> std::ops::Range<usize> {
                    debug_assert!((column + 1) * width <= row.len());
                    column * width..(column + 1) * width
                };
                signed_row(modulus, columns, |column| {
                    let mut terms = Vec::with_capacity(2 * horizontal.len());
                    for (i, &weight) in horizontal.iter().enumerate() {
                        terms.push((&down.plus[cell(&down.plus, column + i)], weight));
                        if let Some(minus) = &down.minus {
                            terms.push((&minus[cell(minus, column + i)], -weight));
                        }
                    }
                    terms
                })
            }
            Kernel::Full(rows) => signed_row(modulus, columns, |column| {
                let weights = rows.iter().enumerate().flat_map(|(j, row)| row.iter().enumerate().map(move |(i, w)| (j, i, *w)));
                weights.map(|(j, i, weight)| (at(j, column + i), weight)).collect()
            }),
        }
    }
}

impl Signed {
    fn times(mut self, other: Self, modulus: &Modulus) -> Self {
        multiply_rows(modulus, &mut self.plus, &other.plus);
        self.minus = match (self.minus, other.minus) {
            (Some(mut a), Some(b)) => {
                multiply_rows(modulus, &mut a, &b);
                Some(a)
            }
            (a, b) => a.or(b),
        };
        self
    }
}

/// A row of products of powers: `terms` gives, for each column, ciphertexts and their weights.
fn signed_row<'a>(
    modulus: &Modulus,
    columns: usize,
    terms: impl Fn(usize) -> Vec<(&'a [Limb], i64)> + Sync,
) -> Signed {
    let width = modulus.width();
    let one_side = |sign: i64| {
        let mut row = vec![0; columns * width];
        parallel::map_chunks(&mut row, width, |start, cells| {
            for (offset, cell) in cells.chunks_exact_mut(width).enumerate() {
                let terms = terms(start / width + offset);
                let chosen: Vec<_> =
                    terms.iter().filter(|(_, w)| w * sign > 0).map(|&(c, w)| (c, w.unsigned_abs())).collect();
                product_of_powers(modulus, cell, &chosen);
            }
        });
        row
    };
    let negative = columns > 0 && terms(0).iter().any(|&(_, weight)| weight < 0);
    Signed { plus: one_side(1), minus: negative.then(|| one_side(-1)) }
}

/// `out = product of base^weight`, all in Montgomery form: Straus's method, one squaring for each bit of the largest
/// weight, whatever the number of bases. The weights are public.
fn product_of_powers(modulus: &Modulus, out: &mut [Limb], terms: &[(&[Limb], u64)]) {
    let largest = terms.iter().map(|&(_, weight)| weight).max().unwrap_or(0);
    let mut started = false;
    out.copy_from_slice(modulus.one());
    for bit in (0..u64::BITS - largest.leading_zeros()).rev() {
        if started {
            modulus.square_assign(out);
        }
        for (base, _) in terms.iter().filter(|&&(_, weight)| weight >> bit & 1 == 1) {
            if started {
                modulus.mul_assign(out, base);
            } else {
                out.copy_from_slice(base);
                started = true;
            }
        }
    }
}

/// Divides each ciphertext by its partner, with one inversion for all (Montgomery's trick).
fn divide(modulus: &Modulus, squared: &BigUint, row: &mut [Limb], by: &[Limb]) -> Result<()> {
    let width = modulus.width();
    // before[k] is the product of the first k divisors.
    let mut before = vec![modulus.one().to_vec()];
    for divisor in by.chunks_exact(width) {
        let mut next = vec![0; width];
        modulus.mul(&mut next, &before[before.len() - 1], divisor);
        before.push(next);
    }
    let all = modulus.number(&before[before.len() - 1]);
    let inverse = all.modinv(squared).ok_or_else(|| {
        Error::new(
            Code::CiphertextNotUnit,
            "a ciphertext shares a factor with the modulus, so it was not made by encryption; encrypt the photo again",
        )
    })?;
    let mut inverse = modulus.residue(&inverse);
    let mut single = vec![0; width];
    for (k, (cell, divisor)) in row.chunks_exact_mut(width).zip(by.chunks_exact(width)).enumerate().rev() {
        modulus.mul(&mut single, &inverse, &before[k]);
        modulus.mul_assign(cell, &single);
        modulus.mul_assign(&mut inverse, divisor);
    }
    Ok(())
}

fn multiply_rows(modulus: &Modulus, a: &mut [Limb], b: &[Limb]) {
    let width = modulus.width();
    parallel::map_chunks(a, width, |start, cells| {
        for (cell, factor) in cells.chunks_exact_mut(width).zip(b[start..].chunks_exact(width)) {
            modulus.mul_assign(cell, factor);
        }
    });
}

/// The ciphertext, without mask, of the same constant in every slot in use.
fn all_slots(key: &PublicKey, layout: &Layout, constant: i128) -> Result<Vec<Limb>> {
    let ones = (0..layout.used_slots())
        .fold(BigInt::ZERO, |sum, slot| sum + (BigInt::from(1) << (slot * u32::from(layout.slot_bits))));
    let packed = ones * BigInt::from(constant);
    // The constant may be negative, or larger than a slot, while the sum it completes is neither.
    let n = BigInt::from(key.n().clone());
    let residue = ((packed % &n) + &n) % &n;
    let residue = residue.to_biguint().ok_or_else(|| Error::new(Code::Internal, "a residue is negative"))?;
    Ok(key.unmasked(&residue))
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
    let history = if first.history.is_empty() { filter.to_string() } else { format!("{}; {filter}", first.history) };
    if history.len() > MAX_HISTORY {
        return Err(Error::new(Code::BadFilter, "too many filters were applied to this image"));
    }
    Ok(ImageHead { key: Arc::clone(&first.key), layout, encoding, history })
}

fn same_shape(a: &ImageHead, b: &ImageHead) -> Result<()> {
    if a.key != b.key {
        return Err(Error::new(
            Code::ForeignKey,
            format!("the two images are encrypted under different keys, {} and {}", a.key.id(), b.key.id()),
        ));
    }
    if (Layout { border: a.layout.border, ..b.layout.clone() }) != a.layout || a.encoding.divisor != b.encoding.divisor {
        return Err(Error::new(
            Code::ImagesDiffer,
            "the two images differ in size, colours, halo, slots or divisor; encrypt both with the same options",
        ));
    }
    Ok(())
}

/// Work on the ciphertexts of a row, on all cores where there are any.
mod parallel {
    use super::Limb;

    /// Cuts the row into pieces of whole ciphertexts and calls `work(start, piece)`, `start` in limbs.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn map_chunks<T: Send>(
        row: &mut [Limb],
        width: usize,
        work: impl Fn(usize, &mut [Limb]) -> T + Sync,
    ) -> Vec<T> {
        use rayon::prelude::*;
        let size = piece(row.len() / width, rayon::current_num_threads()) * width;
        row.par_chunks_mut(size).enumerate().map(|(index, piece)| work(index * size, piece)).collect()
    }

    /// In the browser each worker has one core.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn map_chunks<T: Send>(
        row: &mut [Limb],
        width: usize,
        work: impl Fn(usize, &mut [Limb]) -> T + Sync,
    ) -> Vec<T> {
        let size = piece(row.len() / width, 1) * width;
        row.chunks_mut(size).enumerate().map(|(index, piece)| work(index * size, piece)).collect()
    }

    fn piece(count: usize, pieces: usize) -> usize {
        count.div_ceil(pieces).max(1)
    }
}
