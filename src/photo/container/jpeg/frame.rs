//! The header of a frame: its size, its components, and which of their bits were sent so far.

use super::super::{damaged, unsupported};
use crate::error::Result;
use crate::photo::Limits;

/// Marks coefficients of which nothing was sent yet.
const NOTHING: u8 = u8::MAX;

/// A frame, coded by sequential or progressive DCT with Huffman codes, in 8 bits.
pub(super) struct Frame {
    /// The width in pixels.
    pub(super) width: u32,
    /// The height in pixels.
    pub(super) height: u32,
    pub(super) progressive: bool,
    pub(super) components: Vec<Component>,
    /// The number of interleaved units in a row.
    pub(super) units_across: usize,
    /// The number of rows of interleaved units.
    pub(super) units_down: usize,
    /// Whether the frame is sequential and one of several scans contains several components.
    pub(super) mixed: bool,
}

/// One plane of samples.
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) h: usize,
    pub(super) v: usize,
    pub(super) quantisation: usize,
    /// The number of blocks with samples in a row.
    pub(super) across: usize,
    /// The number of rows of blocks with samples.
    pub(super) down: usize,
    /// The number of blocks in a row of whole units.
    pub(super) stored_across: usize,
    /// For a progressive frame: which coefficients of each stored block are not zero.
    pub(super) history: Vec<u64>,
    /// For a progressive frame: the sum of the squares of each stored block's coefficients, times their steps.
    pub(super) energy: Vec<f32>,
    /// The number of low bits of each coefficient that have not been sent yet.
    pub(super) missing_bits: [u8; 64],
}

impl Frame {
    pub(super) fn parse(marker: u8, body: &[u8], limits: &Limits) -> Result<Self> {
        refuse_process(marker)?;
        let wrong = || damaged("its frame header is malformed");
        let (&[depth, h1, h0, w1, w0, count], rest) = body.split_first_chunk().ok_or_else(wrong)?;
        match depth {
            8 => {}
            12 => return Err(unsupported("JPEG files with 12 bits per sample")),
            _ => return Err(wrong()),
        }
        let (width, height) = (u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
        if height == 0 && width != 0 {
            return Err(unsupported("JPEG files with the height after the pixels"));
        }
        limits.check(width, height)?;
        let components: Vec<Component> = rest
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[id, sampling, quantisation]| Component::new(id, sampling, quantisation))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        if rest.len() != 3 * usize::from(count) || count == 0 {
            return Err(wrong());
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(unsupported("JPEG files with two colours, or more than four"));
        }
        let named_before = |i: usize| components[..i].iter().any(|other| other.id == components[i].id);
        if (0..components.len()).any(named_before) {
            return Err(unsupported("JPEG files with two colours of one name"));
        }
        let progressive = marker == 0xc2;
        let mut frame = Self { width, height, progressive, components, units_across: 0, units_down: 0, mixed: false };
        frame.measure();
        Ok(frame)
    }

    /// Computes the numbers of blocks.
    fn measure(&mut self) {
        let (width, height) = (self.width as usize, self.height as usize);
        // A single component is never interleaved, so its sampling has no meaning.
        if let [only] = &mut self.components[..] {
            (only.h, only.v) = (1, 1);
        }
        let (most_h, most_v) = self.most();
        (self.units_across, self.units_down) = (width.div_ceil(8 * most_h), height.div_ceil(8 * most_v));
        for component in &mut self.components {
            let (h, v) = (component.h, component.v);
            component.across = (width * h).div_ceil(most_h).div_ceil(8);
            component.down = (height * v).div_ceil(most_v).div_ceil(8);
            component.stored_across = self.units_across * h;
            if self.progressive {
                component.history = vec![0; component.stored_across * self.units_down * v];
                component.energy = vec![0.0; component.history.len()];
            }
        }
    }

    fn most(&self) -> (usize, usize) {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        (most(|component| component.h), most(|component| component.v))
    }

    /// The number of components.
    pub(super) fn channels(&self) -> Option<u8> {
        u8::try_from(self.components.len()).ok()
    }

    /// Whether a scan of this frame was sent.
    pub(super) fn has_begun(&self) -> bool {
        self.components.iter().any(|component| component.missing_bits[0] != NOTHING)
    }

    /// Whether every bit of every coefficient was sent.
    pub(super) fn is_complete(&self) -> bool {
        self.components.iter().all(|component| component.missing_bits == [0; 64])
    }

    /// What our decoder does not support, or would decode incorrectly, if there is anything. It supports chroma that is sampled
    /// like luma or a whole number of times less, and black that is sampled like the first ink.
    pub(super) fn unusual(&self) -> Option<String> {
        let (most_h, most_v) = self.most();
        let full = |component: &Component| component.h == most_h && component.v == most_v;
        let divides = |component: &Component| most_h % component.h == 0 && most_v % component.v == 0;
        let sampled = match &self.components[..] {
            [] | [_] => true,
            [a, b, c] => full(a) && divides(b) && divides(c),
            [a, b, c, d] => full(a) && full(d) && divides(b) && (b.h, b.v) == (c.h, c.v),
            _ => false,
        };
        if !sampled {
            let factors: Vec<_> = self.components.iter().map(|part| format!("{}x{}", part.h, part.v)).collect();
            return Some(format!("the colour sampling {}", factors.join(", ")));
        }
        self.mixed.then(|| "some, but not all, of their colours in one scan".to_owned())
    }
}

impl Component {
    fn new(id: u8, sampling: u8, quantisation: u8) -> Option<Self> {
        let (h, v) = (usize::from(sampling >> 4), usize::from(sampling & 15));
        let allowed = (1..=4).contains(&h) && (1..=4).contains(&v) && quantisation < 4;
        allowed.then(|| Self {
            id,
            h,
            v,
            quantisation: quantisation.into(),
            across: 0,
            down: 0,
            stored_across: 0,
            history: Vec::new(),
            energy: Vec::new(),
            missing_bits: [NOTHING; 64],
        })
    }

    /// Records what a scan sends: coefficients from `first` to `last`, without their `low` lowest bits. Fails unless exactly
    /// `high` bits of these coefficients were missing before; a `high` of 0 means that nothing was sent yet.
    pub(super) fn receive(&mut self, first: usize, last: usize, high: u8, low: u8) -> Result<()> {
        let before = if high == 0 { NOTHING } else { high };
        if first > 0 && self.missing_bits[0] == NOTHING {
            return Err(damaged("its scans are in the wrong order"));
        }
        for missing in &mut self.missing_bits[first..=last] {
            if *missing != before {
                return Err(damaged("its scans are in the wrong order"));
            }
            *missing = low;
        }
        Ok(())
    }
}

/// Returns an error for unsupported processes.
fn refuse_process(marker: u8) -> Result<()> {
    let kind = match marker {
        0xc0..=0xc2 => return Ok(()),
        0xc3 | 0xcb => "lossless JPEG files",
        0xc9 | 0xca => "JPEG files with arithmetic coding",
        0xf7 => "JPEG-LS files",
        _ => "hierarchical JPEG files",
    };
    Err(unsupported(kind))
}
