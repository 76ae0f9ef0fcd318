//! Values that change places, eight at a time.

use super::super::floats::{Floats, Work};
use super::Limb;

/// Values that move together.
pub const BLOCK: usize = 8;

/// Where values come from: each block from one block, in one of eight orders.
pub struct Blocks {
    /// For each block, eight times the block that it comes from, and the number of the order.
    sources: Vec<u32>,
    /// For each order, where in the block the values come from.
    orders: [[u64; BLOCK]; BLOCK],
}

impl Blocks {
    /// From blocks and orders: a source is eight times the number of a block, and the number of an order.
    ///
    /// # Panics
    /// If a block or a place is not there.
    #[must_use]
    pub fn new(sources: Vec<u32>, orders: [[u64; BLOCK]; BLOCK]) -> Self {
        assert!(sources.iter().all(|&source| (source as usize) < BLOCK * sources.len()));
        assert!(orders.iter().flatten().all(|&place| place < BLOCK as u64));
        Self { sources, orders }
    }
}

impl Limb {
    /// Moves values: `a` is `b` in another order.
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
        // SAFETY: passed on to the caller; `Blocks::new` has checked all places, and `moved` the lengths.
        unsafe {
            for (i, &source) in sources.iter().enumerate() {
                let block = V::load(b.as_ptr().add(source as usize / BLOCK * BLOCK).cast());
                let order = orders[source as usize % BLOCK].as_ptr();
                block.ordered(order).store(a.as_mut_ptr().add(BLOCK * i).cast());
            }
        }
    }
}
