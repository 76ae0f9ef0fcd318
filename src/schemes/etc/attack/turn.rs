//! Possible transformations of a block: its orientations and its colours.

use crate::schemes::etc::scramble::{ORDERS, Step};

/// A direction, or a place counted in blocks: across and down.
pub(super) type Vector = [i32; 2];

/// The sides of a block, and the direction in which each is read.
pub(super) const SIDES: [(Vector, Vector); 4] =
    [([1, 0], [0, 1]), ([0, 1], [1, 0]), ([-1, 0], [0, 1]), ([0, -1], [1, 0])];

/// One of the eight rotations and reflections, as the directions that across and down become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(pub(super) [Vector; 2]);

impl Orientation {
    pub(super) const NONE: Self = Self([[1, 0], [0, 1]]);

    /// The inverse of a step's rotation and reflection.
    pub(super) fn undoing(step: Step) -> Self {
        let clockwise = Self([[0, 1], [-1, 0]]);
        let sign = |bit: u8| if step.mirror & bit == 0 { 1 } else { -1 };
        let turned = (0..step.turns).fold(Self::NONE, |turn, _| clockwise.after(turn));
        Self([[sign(1), 0], [0, sign(2)]]).after(turned).inverse()
    }

    pub(super) fn apply(self, [x, y]: Vector) -> Vector {
        let [a, b] = self.0;
        [a[0] * x + b[0] * y, a[1] * x + b[1] * y]
    }

    pub(super) fn after(self, first: Self) -> Self {
        Self(first.0.map(|vector| self.apply(vector)))
    }

    /// The inverse, which is the transpose.
    pub(super) fn inverse(self) -> Self {
        let [a, b] = self.0;
        Self([[a[0], b[0]], [a[1], b[1]]])
    }

    /// The orientation that takes `from` to `to`, each of which is two directions at right angles.
    pub(super) fn between(from: [Vector; 2], to: [Vector; 2]) -> Self {
        Self(to).after(Self(from).inverse())
    }

    pub(super) fn all() -> [Self; 8] {
        let signs = [[1, 1], [1, -1], [-1, 1], [-1, -1]];
        std::array::from_fn(|i| {
            let [s, t] = signs[i % 4];
            if i < 4 { Self([[s, 0], [0, t]]) } else { Self([[0, s], [t, 0]]) }
        })
    }

    /// The side of a block in this orientation that faces the direction of [`SIDES`] with this number, and whether it is then
    /// read backwards.
    pub(super) fn facing(self, direction: usize) -> (usize, bool) {
        let (out, read) = SIDES[direction];
        let back = self.inverse();
        let (out, read) = (back.apply(out), back.apply(read));
        let side = SIDES.iter().position(|side| side.0 == out).unwrap_or(0);
        (side, SIDES[side].1 != read)
    }
}

/// A change of a block's colours: channel `c` becomes channel `order[c]`, negated or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colours {
    pub(super) negate: bool,
    pub(super) order: [u8; 3],
}

impl Colours {
    pub(super) const NONE: Self = Self { negate: false, order: [0, 1, 2] };

    /// The inverse of a step's change of colours.
    pub(super) fn undoing(step: Step) -> Self {
        Self { negate: step.negate, order: ORDERS[usize::from(step.order)] }.inverse()
    }

    /// All ways to recolour a picture of `channels` channels, in the order of their [numbers](Self::number).
    pub(super) fn all(channels: usize) -> impl Iterator<Item = Self> {
        let orders = if channels == 3 { ORDERS.as_slice() } else { &ORDERS[..1] };
        orders.iter().flat_map(|&order| [false, true].map(|negate| Self { negate, order }))
    }

    /// The index in the list of all ways.
    pub(super) fn number(self) -> usize {
        let order = ORDERS.iter().position(|&order| order == self.order).unwrap_or(0);
        2 * order + usize::from(self.negate)
    }

    /// Applies `first`, then `self`.
    pub(super) fn after(self, first: Self) -> Self {
        Self { negate: self.negate != first.negate, order: self.order.map(|c| first.order[usize::from(c)]) }
    }

    pub(super) fn inverse(self) -> Self {
        let mut order = [0; 3];
        for (c, &from) in (0u8..).zip(&self.order) {
            order[usize::from(from)] = c;
        }
        Self { order, ..self }
    }
}
