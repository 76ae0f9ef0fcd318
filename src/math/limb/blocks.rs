//! Permutations of values, in blocks of eight.

use super::super::floats::{Floats, Work};
use super::Limb;

/// The number of values that move together.
pub const BLOCK: usize = 8;

/// A permutation of values: each block comes from one block, in one of eight orders.
pub struct Blocks {
    /// For each block: eight times the number of its source block, plus the number of the order.
    sources: Vec<u32>,
    /// For each order: the places in the source block.
    orders: [[u64; BLOCK]; BLOCK],
}

impl Blocks {
    /// A permutation given by blocks and orders. A source is eight times the number of a block plus the number of an order.
    ///
    /// # Panics
    /// If a block or a place does not exist.
    #[must_use]
    pub fn new(sources: Vec<u32>, orders: [[u64; BLOCK]; BLOCK]) -> Self {
        assert!(sources.iter().all(|&source| (source as usize) < BLOCK * sources.len()));
        assert!(orders.iter().flatten().all(|&place| place < BLOCK as u64));
        Self { sources, orders }
    }
}

impl Limb {
    /// Permutes values: `a` is `b` in another order.
    pub fn moved(self, a: &mut [u64], b: &[u64], blocks: &Blocks) {
        let length = BLOCK * blocks.sources.len();
        assert!(a.len() == length && b.len() == length);
        self.kernel.run(Moved { a, b, blocks });
    }
}

struct Moved<'a> {
    a: &'a mut [u64],
    b: &'a [u64],
    blocks: &'a Blocks,
}

impl Work for Moved<'_> {
    fn portable(self) {
        let Self { a, b, blocks: Blocks { sources, orders } } = self;
        let (out, values) = (a.as_chunks_mut::<BLOCK>().0, b.as_chunks::<BLOCK>().0);
        for (out, &source) in out.iter_mut().zip(sources) {
            let (block, order) = (&values[source as usize / BLOCK], &orders[source as usize % BLOCK]);
            #[expect(clippy::cast_possible_truncation, reason = "below 8")]
            let moved = order.map(|from| block[from as usize % BLOCK]);
            *out = moved;
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        if V::LANES != BLOCK {
            return self.portable();
        }
        let Self { a, b, blocks: Blocks { sources, orders } } = self;
        // SAFETY: upheld by the caller; `Blocks::new` has checked all places, and `moved` the lengths.
        unsafe {
            for (i, &source) in sources.iter().enumerate() {
                let block = V::load(b.as_ptr().add(source as usize / BLOCK * BLOCK).cast());
                let order = orders[source as usize % BLOCK].as_ptr();
                block.ordered(order).store(a.as_mut_ptr().add(BLOCK * i).cast());
            }
        }
    }
}
