//! Powers of one base with many exponents, from a precomputed table: the comb of C. H. Lim and P. J. Lee ("More flexible
//! exponentiation with precomputation", CRYPTO 1994).
//!
//! The bits of an exponent are written in `teeth` rows of `columns` bits each. Each column is a digit whose power is looked up:
//! entry `d` is the product of `base^(2^(columns j))` over the bits `j` of `d`. The columns are divided into blocks of `run`
//! columns. Each block has its own table, with the powers for its position. A power thus takes `columns` products and `run - 1`
//! squarings, which all blocks share. More teeth mean fewer products and a larger table; longer runs mean more squarings and a
//! smaller table. [`Shape::best`] balances them.
//!
//! The exponent determines which entries are read. If others may observe this machine's caches, [`Lookup::Scan`] reads every
//! entry of a table each time instead.

use num_bigint::BigUint;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::pair::{Batch, PairModulus, select};

/// How table entries are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lookup {
    /// By their address, which is fast.
    #[default]
    Direct,
    /// By reading the whole table, so that memory accesses do not depend on secrets.
    Scan,
}

/// The largest table of one base, in bytes. A table that does not stay in the cache is slow.
const MAX_BYTES: u64 = 12 << 20;
const MAX_TEETH: u64 = 12;
const RUNS: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];
/// The cost of a squaring, in tenths of a product.
const SQUARING: u64 = 7;
/// The number of entries that are read in the time of one product.
const ENTRIES_PER_PRODUCT: u64 = 24;

/// The shape of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The number of bits of a digit.
    teeth: u64,
    /// The number of digits of an exponent.
    columns: u64,
    /// The number of digits that share a table.
    run: u64,
}

impl Shape {
    /// The shape with the lowest cost, table included, of `count` powers with exponents of `bits` bits.
    #[must_use]
    pub fn best(modulus: &PairModulus, bits: u64, count: u64, lookup: Lookup) -> Self {
        let all = (1..=MAX_TEETH).flat_map(|teeth| {
            RUNS.map(|run| Self { teeth, columns: bits.div_ceil(teeth), run: run.min(bits.div_ceil(teeth)) })
        });
        let fits = |shape: &Self| shape.entries() * modulus.lane_words() as u64 * 8 <= MAX_BYTES;
        let least = Self { teeth: 1, columns: bits, run: bits };
        all.filter(fits).min_by_key(|shape| shape.tenths(count, lookup)).unwrap_or(least)
    }

    /// The cost of the table and `count` powers, in tenths of a product.
    fn tenths(&self, count: u64, lookup: Lookup) -> u64 {
        let scan = if lookup == Lookup::Scan { 10 * self.columns * (1 << self.teeth) / ENTRIES_PER_PRODUCT } else { 0 };
        let power = 10 * self.columns + SQUARING * (self.run - 1) + scan;
        10 * self.entries() + count.saturating_mul(power)
    }

    /// Whether a table of this shape is about as good for `count` powers as a new one with the `best` shape.
    #[must_use]
    pub fn will_do(&self, best: &Self, count: u64, lookup: Lookup) -> bool {
        let left = |shape: &Self| shape.tenths(count, lookup) - 10 * shape.entries();
        // The existing table has been paid for.
        left(self) <= best.tenths(count, lookup) + best.tenths(count, lookup) / 20
    }

    fn blocks(&self) -> u64 {
        self.columns.div_ceil(self.run)
    }

    fn entries(&self) -> u64 {
        self.blocks() * ((1 << self.teeth) - 1)
    }
}

/// The table of one base.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Comb {
    #[zeroize(skip)]
    lookup: Lookup,
    #[zeroize(skip)]
    shape: Shape,
    /// The number of words of an entry.
    size: usize,
    /// For each block, lowest columns first: the entries for the digits from 1 on, each as the digits of one lane.
    blocks: Vec<Vec<u64>>,
}

impl Comb {
    /// Makes the table of a base.
    #[must_use]
    pub fn new(modulus: &PairModulus, base: &BigUint, shape: Shape, lookup: Lookup) -> Self {
        let lanes = modulus.lanes();
        let size = modulus.lane_words();
        let starts = Starts::new(modulus, base, shape);
        let all: Vec<u64> = (0..shape.blocks()).collect();
        let mut blocks = Vec::with_capacity(all.len());
        // Computes as many blocks at a time as there are lanes.
        for some in all.chunks(lanes) {
            let bits: Vec<Batch> = (0..shape.teeth).map(|tooth| starts.batch(modulus, some, tooth)).collect();
            let mut entries: Vec<Batch> = vec![modulus.one().clone()];
            for start in &bits {
                // Multiplies all entries without this bit by the power for this bit.
                for without in 0..entries.len() {
                    let mut with = modulus.empty();
                    modulus.mul(&mut with, &entries[without], start);
                    entries.push(with);
                }
            }
            for lane in 0..some.len() {
                let mut block = Vec::with_capacity((entries.len() - 1) * size);
                for entry in &entries[1..] {
                    block.extend(modulus.lane(entry, lane));
                }
                blocks.push(block);
            }
            entries.zeroize();
        }
        Self { lookup, shape, size, blocks }
    }

    /// How entries are looked up.
    #[must_use]
    pub fn lookup(&self) -> Lookup {
        self.lookup
    }

    /// The table's shape.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The powers with these exponents, one per lane at most. Lanes without an exponent are one.
    #[must_use]
    pub fn powers(&self, modulus: &PairModulus, exponents: &[BigUint]) -> Batch {
        let digits: Vec<_> = exponents.iter().map(|exponent| self.digits(exponent)).collect();
        let one = modulus.lane(modulus.one(), 0);
        let mut product = modulus.one().clone();
        let mut factor = modulus.one().clone();
        let mut scratch = modulus.empty();
        let mut scanned = vec![vec![0; self.size]; digits.len()];
        for step in (0..self.shape.run).rev() {
            if step + 1 < self.shape.run {
                modulus.square(&mut scratch, &product);
                std::mem::swap(&mut scratch, &mut product);
            }
            let columns = (step..).step_by(self.run()).take_while(|&column| column < self.shape.columns);
            for (block, column) in self.blocks.iter().zip(columns) {
                let digits = digits.iter().map(|digits| usize::try_from(column).map_or(0, |column| digits[column]));
                let mut entries: Vec<&[u64]> = match self.lookup {
                    Lookup::Direct => digits.map(|digit| entry(block, &one, digit)).collect(),
                    Lookup::Scan => {
                        for (out, digit) in scanned.iter_mut().zip(digits) {
                            select(out, std::iter::once(&one[..]).chain(block.chunks_exact(self.size)), digit);
                        }
                        scanned.iter().map(Vec::as_slice).collect()
                    }
                };
                entries.resize(modulus.lanes(), &one);
                modulus.set_lanes(&mut factor, &entries);
                modulus.mul(&mut scratch, &product, &factor);
                std::mem::swap(&mut scratch, &mut product);
            }
        }
        factor.zeroize();
        scratch.zeroize();
        scanned.zeroize();
        product
    }

    fn run(&self) -> usize {
        usize::try_from(self.shape.run).unwrap_or(usize::MAX)
    }

    /// The columns of an exponent, lowest first.
    fn digits(&self, exponent: &BigUint) -> Vec<u16> {
        let bytes = exponent.to_bytes_le();
        let bit = |bit: u64| {
            let byte = usize::try_from(bit / 8).ok().and_then(|at| bytes.get(at)).copied().unwrap_or(0);
            u16::from(byte >> (bit % 8) & 1)
        };
        let column = |column: u64| {
            (0..self.shape.teeth).fold(0, |digit, tooth| digit | bit(column + tooth * self.shape.columns) << tooth)
        };
        (0..self.shape.columns).map(column).collect()
    }
}

/// The powers `base^(2^i)` from which the tables are built.
struct Starts {
    /// For each tooth and each block: the power as the digits of one lane.
    lanes: Vec<Vec<Vec<u64>>>,
}

impl Starts {
    fn new(modulus: &PairModulus, base: &BigUint, shape: Shape) -> Self {
        let mut power = modulus.broadcast(base);
        let mut scratch = modulus.empty();
        let mut lanes = Vec::new();
        for _ in 0..shape.teeth {
            let mut tooth = Vec::new();
            for column in 0..shape.columns {
                if column % shape.run == 0 {
                    tooth.push(modulus.lane(&power, 0));
                }
                modulus.square(&mut scratch, &power);
                std::mem::swap(&mut scratch, &mut power);
            }
            lanes.push(tooth);
        }
        Self { lanes }
    }

    /// The powers of one tooth for several blocks.
    fn batch(&self, modulus: &PairModulus, blocks: &[u64], tooth: u64) -> Batch {
        let mut batch = modulus.one().clone();
        let starts = usize::try_from(tooth).ok().and_then(|tooth| self.lanes.get(tooth));
        for (lane, &block) in blocks.iter().enumerate() {
            if let Some(start) = starts.zip(usize::try_from(block).ok()).and_then(|(all, block)| all.get(block)) {
                modulus.set_lane(&mut batch, lane, start);
            }
        }
        batch
    }
}

/// The entry for `digit`, which is `one` for the digit 0.
fn entry<'a>(block: &'a [u64], one: &'a [u64], digit: u16) -> &'a [u64] {
    let start = (usize::from(digit).wrapping_sub(1)).wrapping_mul(one.len());
    if digit == 0 { one } else { &block[start..start + one.len()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::One as _;

    #[test]
    fn powers_agree_with_num_bigint() {
        let n = (BigUint::one() << 1024usize) - 105u8;
        let squared = &n * &n;
        let modulus = PairModulus::new(&n).expect("odd");
        let base = BigUint::from(3u8).pow(700);
        let exponents: Vec<BigUint> = (0..modulus.lanes())
            .map(|lane| (BigUint::from(0x0123_4567_89ab_cdef_u64) * (lane + 1)) << lane)
            .chain([BigUint::ZERO, BigUint::one(), (BigUint::one() << 100usize) - 1u8])
            .collect();
        for (teeth, run, lookup) in [
            (1, 100, Lookup::Direct),
            (6, 1, Lookup::Direct),
            (7, 4, Lookup::Direct),
            (10, 8, Lookup::Direct),
            (4, 2, Lookup::Scan),
        ] {
            let shape = Shape { teeth, columns: 100u64.div_ceil(teeth), run };
            let comb = Comb::new(&modulus, &base, shape, lookup);
            for some in exponents.chunks(modulus.lanes()) {
                let powers = modulus.leave(&comb.powers(&modulus, some));
                for (exponent, power) in some.iter().zip(powers) {
                    assert_eq!(power, base.modpow(exponent, &squared), "{shape:?} {lookup:?}");
                }
            }
        }
    }

    #[test]
    fn more_powers_deserve_larger_tables_up_to_a_limit() {
        let n = (BigUint::one() << 1536usize) - 3u8;
        let modulus = PairModulus::new(&n).expect("odd");
        let best = |count| Shape::best(&modulus, 1536, count, Lookup::Direct);
        assert!(best(10).entries() < best(1000).entries());
        assert!(best(1000).entries() <= best(1 << 40).entries());
        assert!(best(1 << 40).entries() * modulus.lane_words() as u64 * 8 <= MAX_BYTES);
        assert!(best(1000).will_do(&best(1200), 1200, Lookup::Direct));
        assert!(best(1_000_000).will_do(&best(10), 10, Lookup::Direct));
        assert!(!best(10).will_do(&best(100_000), 100_000, Lookup::Direct));
        assert!(Shape::best(&modulus, 1536, 1 << 40, Lookup::Scan).teeth <= 5);
    }
}
