//! Convolutions that wrap round as rotations do.
//!
//! A picture of `height` times `width` pixels is stored with `depth` numbers for each pixel: slot `(Y width + X) depth + c`. A
//! coarser grid, with a value for every `step` pixels in each direction, uses the same slots: its channels are the `step^2`
//! pixels of each coarse one times `depth`. So a convolution with a stride writes its channels straight to their slots, and
//! every layer fills all slots.
//!
//! What lies to the right of the last column is the first column of the next row, and below the last row is the first one:
//! a rotation of the slots. Nothing is masked, which would take a level. Networks must be trained in the same way.
//!
//! The output's origin is that of the input, moved by [`Placement::origin`]: the rotation to the first offset is left out, and
//! the next layer's weights, which repeat in the slots, are rotated instead.

use std::ops::RangeInclusive;

use super::Weights;
use crate::error::{Code, Error, Result};
use crate::math::product::add_product;
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
use crate::schemes::ckks::periodic::{Offsets, PeriodicMatrix};
use crate::schemes::ckks::plaintext::Plaintext;
use crate::schemes::ckks::ring::Ring;

/// The largest height and width of a kernel.
const MOST_SIDE: usize = 7;

/// The shortest period of weights, and the shortest run of places with the same value: see
/// [`periodic`](crate::schemes::ckks::periodic).
const SHORTEST: usize = 8;

/// The slots of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// Numbers for each pixel.
    pub depth: usize,
}

/// The values of a layer on a grid: `count` channels for every `step` pixels in each direction.
///
/// Channel `(c step + y) step + x` is the number `c` of the pixel in row `y` and column `x` of each coarse pixel: the order of
/// "pixel shuffle" in programs for machine learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Pixels of the grid in each direction for one value.
    pub step: usize,
    /// The number of channels, at most `depth step^2`.
    pub count: usize,
}

/// A convolution with a square kernel. Kernels reach one coarse pixel up and to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// The slots.
    pub grid: Grid,
    /// The channels of the input.
    pub inputs: Channels,
    /// The height and width of the kernel.
    pub kernel: usize,
    /// The coarse pixels of the input from one output to the next. The output has all channels of its step.
    pub stride: usize,
}

/// The diagonals of a convolution, seen as a matrix: where they begin, and how far they reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    rows: RangeInclusive<isize>,
    columns: RangeInclusive<isize>,
    grid: Grid,
}

impl Grid {
    /// The number of slots.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.height * self.width * self.depth
    }

    /// The slots of a row.
    #[must_use]
    pub const fn row(&self) -> usize {
        self.width * self.depth
    }
}

impl Channels {
    /// After how many slots the channels repeat.
    #[must_use]
    pub const fn period(self, grid: Grid) -> usize {
        if self.step == 1 { grid.depth } else { self.step * grid.row() }
    }

    /// The channel of a slot.
    #[must_use]
    pub const fn of_slot(self, grid: Grid, slot: usize) -> usize {
        let (row, column) = (slot / grid.row() % self.step, slot / grid.depth % self.step);
        (slot % grid.depth * self.step + row) * self.step + column
    }
}

impl Placement {
    /// The diagonals, counted from the first one.
    #[must_use]
    pub fn offsets(&self) -> Offsets {
        let length = |range: &RangeInclusive<isize>| range.end().abs_diff(*range.start()) + 1;
        Offsets { rows: length(&self.rows), row_step: self.grid.row(), columns: length(&self.columns) }
    }

    /// The slots by which the output is rotated to the left.
    #[must_use]
    pub fn origin(&self) -> usize {
        let first = self.rows.start() * self.grid.row().cast_signed() + self.columns.start();
        (-first).rem_euclid(self.grid.slots().cast_signed()).cast_unsigned()
    }
}

impl Convolution {
    /// The channels of the output.
    #[must_use]
    pub const fn outputs(&self) -> Channels {
        let step = self.inputs.step * self.stride;
        Channels { step, count: self.grid.depth * step * step }
    }

    /// The number of weights.
    #[must_use]
    pub const fn weights(&self) -> usize {
        self.outputs().count * self.inputs.count * self.kernel * self.kernel
    }

    /// Checks that everything fits.
    ///
    /// # Errors
    /// [`Code::BadArgument`] otherwise.
    pub fn check(&self) -> Result<()> {
        let Self { grid, inputs, kernel: side, stride } = *self;
        let outputs = self.outputs();
        let powers = [grid.height, grid.width, grid.depth, inputs.step, stride];
        let fits = powers.iter().all(|number| number.is_power_of_two())
            && outputs.step <= grid.height.min(grid.width)
            && grid.depth >= SHORTEST
            && outputs.period(grid) <= grid.slots() / SHORTEST
            && (1..=grid.depth * inputs.step * inputs.step).contains(&inputs.count)
            && (1..=MOST_SIDE).contains(&side);
        let message = || {
            format!(
                "a convolution of {} to {} channels with a kernel of {side} and stride {stride} does not fit {} x {} pixels \
                 of {} numbers",
                inputs.count, outputs.count, grid.width, grid.height, grid.depth
            )
        };
        fits.then_some(()).ok_or_else(|| Error::new(Code::BadArgument, message()))
    }

    /// The weight of the input that lies `row` rows and `column` slots from an output slot, relative to it.
    fn weight(&self, weights: &Weights, slot: usize, row: isize, column: isize) -> f64 {
        let Self { grid, inputs, kernel: side, .. } = *self;
        let outputs = self.outputs();
        let (depth, step) = (grid.depth.cast_signed(), inputs.step.cast_signed());
        let pixel = |number: usize| (number % outputs.step).cast_signed();
        let number = column + (slot % grid.depth).cast_signed();
        let (dx, c) = (number.div_euclid(depth), number.rem_euclid(depth));
        let (y, x) = (pixel(slot / grid.row()) + row, pixel(slot / grid.depth) + dx);
        let tap = |place: isize| usize::try_from(place.div_euclid(step) + 1).ok().filter(|&tap| tap < side);
        let input = (c * step + y.rem_euclid(step)) * step + x.rem_euclid(step);
        let (Some(ky), Some(kx), Ok(input)) = (tap(y), tap(x), usize::try_from(input)) else { return 0.0 };
        if input >= inputs.count {
            return 0.0;
        }
        let output = outputs.of_slot(grid, slot);
        weights.weights[((output * inputs.count + input) * side + ky) * side + kx].into()
    }

    /// The slots of the input for its numbers, row by row, all channels of each pixel together. This is for an input of step 1.
    #[must_use]
    pub fn pack(&self, numbers: &[f64]) -> Vec<f64> {
        let (depth, count) = (self.grid.depth, self.inputs.count);
        let number = |slot: usize| numbers.get(slot / depth * count + slot % depth).filter(|_| slot % depth < count);
        (0..self.grid.slots()).map(|slot| number(slot).copied().unwrap_or_default()).collect()
    }

    /// The approximate memory in bytes for its weights and biases, encoded for a level of a ring of this degree.
    #[must_use]
    pub fn memory(&self, degree: usize, level: usize) -> usize {
        self.placement().offsets().memory(self.outputs().period(self.grid)) + level * degree * size_of::<u64>()
    }

    /// The diagonals.
    #[must_use]
    pub fn placement(&self) -> Placement {
        let Self { grid, inputs, kernel, .. } = *self;
        let signed = usize::cast_signed;
        // From the first tap, for the last of an output's pixels, to the last tap, for the first one.
        let last = signed(self.outputs().step) - 1;
        let (first, end) = (-signed(inputs.step) - last, signed(inputs.step) * (signed(kernel) - 1) - 1);
        // The numbers of an input's pixel that have channels.
        let numbers = signed(inputs.count.div_ceil(inputs.step * inputs.step));
        let depth = signed(grid.depth);
        Placement { rows: first..=end, columns: first * depth - (depth - 1)..=end * depth + numbers - 1, grid }
    }

    /// The plain twin: the output's slots for these slots of the input.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the weights have fewer bits")]
    pub fn apply(&self, weights: &Weights, slots: &[f64]) -> Vec<f64> {
        let Self { grid, inputs, kernel: side, .. } = *self;
        let outputs = self.outputs();
        let (down, across) = (grid.height / outputs.step, grid.width / outputs.step);
        let (positions, taps) = (down * across, inputs.count * side * side);
        // For each weight of an output, its inputs at all positions.
        let mut columns = vec![0.0; taps * positions];
        for (number, column) in columns.chunks_exact_mut(positions).enumerate() {
            let (input, tap) = (number / (side * side), number % (side * side));
            let (c, y, x) = (input / inputs.step / inputs.step, input / inputs.step % inputs.step, input % inputs.step);
            // From the output's first pixel, one coarse pixel further down and to the right, so that it is not negative.
            let pixel = (tap / side * inputs.step + y) * grid.width + tap % side * inputs.step + x;
            let back = inputs.step * (grid.width + 1);
            for (position, value) in column.iter_mut().enumerate() {
                let first = position / across * outputs.step * grid.width + position % across * outputs.step;
                let slot = (first + pixel + grid.height * grid.width - back) * grid.depth + c;
                *value = slots[slot % grid.slots()] as f32;
            }
        }
        let mut sums: Vec<f32> = weights.bias.iter().flat_map(|&bias| std::iter::repeat_n(bias, positions)).collect();
        add_product(&mut sums, &weights.weights, &columns, taps, positions);
        let value = |slot: usize| {
            let (row, column) = (slot / grid.row() / outputs.step, slot / grid.depth % grid.width / outputs.step);
            f64::from(sums[outputs.of_slot(grid, slot) * positions + row * across + column])
        };
        (0..grid.slots()).map(value).collect()
    }
}

/// A convolution with encoded weights, for ciphertexts of one level.
pub struct EncodedConvolution {
    matrix: PeriodicMatrix,
    bias: Plaintext,
    level: usize,
    scale: f64,
}

impl EncodedConvolution {
    /// Encodes a convolution for ciphertexts of this level and scale, whose slots are rotated to the left by `origin`. After
    /// the rescaling, the result has the level's default scale.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] for level 0; [`Code::PlaintextOutOfRange`] for weights that are not
    /// finite or too large.
    pub fn new(
        ring: &Ring,
        encoder: &Encoder,
        shape: &Convolution,
        weights: &Weights,
        [level, origin]: [usize; 2],
        scale: f64,
    ) -> Result<Self> {
        let Some(below) = level.checked_sub(1) else {
            return Err(Error::new(Code::LevelExhausted, "a convolution needs a level, but none is left"));
        };
        let (placement, grid) = (shape.placement(), shape.grid);
        let (period, slots) = (shape.outputs().period(grid), grid.slots());
        let origin = (origin + placement.origin()) % slots;
        let factor = ring.scale(below) * ring.divisor(level) / scale;
        let diagonal = |row: usize, column: usize| {
            let (row, column) =
                (placement.rows.start() + row.cast_signed(), placement.columns.start() + column.cast_signed());
            (0..period).map(|slot| shape.weight(weights, (slot + origin) % slots, row, column)).collect()
        };
        let matrix = PeriodicMatrix::new(ring, encoder, placement.offsets(), period, factor, diagonal)?;
        let bias = |slot: usize| f64::from(weights.bias[shape.outputs().of_slot(grid, (slot + origin) % slots)]);
        let bias: Vec<f64> = (0..slots).map(bias).collect();
        let bias = encoder.encode_real(ring, &bias, slots, below, ring.scale(below))?;
        Ok(Self { matrix, bias, level, scale })
    }

    /// Its approximate memory in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.matrix.memory() + size_of_val(self.bias.poly().words())
    }

    /// Applies the convolution. The result is one level lower. `step` is called after each rotation, and can stop the work.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] for another level or scale than the convolution's; [`Code::MissingKey`] without the rotations'
    /// keys.
    pub fn apply(
        &self,
        evaluator: &Evaluator,
        a: &Ciphertext,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Ciphertext> {
        if a.level() != self.level || (a.scale() / self.scale - 1.0).abs() > 1e-9 {
            let message = format!(
                "the convolution is for level {} and the scale 2^{:.2}, but the ciphertext has level {} and the scale 2^{:.2}",
                self.level,
                self.scale.log2(),
                a.level(),
                a.scale().log2()
            );
            return Err(Error::new(Code::VectorsDiffer, message));
        }
        let sum = evaluator.rescale(&evaluator.apply_periodic(&self.matrix, a, step)?)?;
        evaluator.add_plain(&sum, &self.bias)
    }
}

#[cfg(all(test, feature = "client"))]
mod tests;
