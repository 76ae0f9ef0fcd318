//! Entropy-coded data, bit by bit, and Huffman codes.

use std::ops::Range;

/// What is wrong with entropy-coded data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A marker, or the file's end, comes before the last block.
    Missing,
    /// A code that there is not, or one that leads out of the block.
    Wrong,
    /// A restart marker is missing, or is not the next one.
    Restart,
    /// A code is used that was not defined.
    NoTable,
}

/// A Huffman code.
pub(super) struct Code {
    /// By the next eight bits: the length of the code (0 where it is longer) and its symbol.
    short: [(u8, u8); 256],
    /// By length: the first code that is too large for it, in 16 bits.
    bounds: [u32; 17],
    /// By length: what to add to a code for its place among the symbols.
    offsets: [i32; 17],
    symbols: Box<[u8]>,
}

impl Code {
    /// The code with `counts[i]` words of length `i + 1`, or nothing if no code has that many.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut code = Self { short: [(0, 0); 256], bounds: [0; 17], offsets: [0; 17], symbols: symbols.into() };
        let (mut next, mut first) = (0u32, 0usize);
        for (length, &count) in (1u32..).zip(counts) {
            let at = length as usize;
            code.offsets[at] = i32::try_from(first).ok()? - i32::try_from(next).ok()?;
            for &symbol in symbols.get(first..first + usize::from(count))? {
                if next >> length != 0 {
                    return None;
                }
                if length <= 8 {
                    let start = (next << (8 - length)) as usize;
                    code.short[start..start + (1 << (8 - length))].fill((u8::try_from(length).ok()?, symbol));
                }
                next += 1;
            }
            first += usize::from(count);
            code.bounds[at] = next << (16 - length);
            next <<= 1;
        }
        Some(code)
    }

    /// Whether all symbols are sizes of differences, as those of a DC table must be.
    pub(super) fn has_sizes_only(&self) -> bool {
        self.symbols.iter().all(|&symbol| symbol <= 15)
    }
}

/// A reader of the data of one scan.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, the first one the highest of `have`.
    hold: u64,
    have: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, hold: 0, have: 0 }
    }

    /// Where in the file the reader is, once [`Bits::finish`] was called.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next symbol.
    #[inline]
    pub(super) fn symbol(&mut self, code: &Code) -> Result<u8, Fault> {
        if self.have < 16 {
            self.fill();
        }
        // Zeros stand for what is not there. A code that needs them is one bit too long at least.
        let bits = if self.have < 16 { self.hold << (16 - self.have) } else { self.hold >> (self.have - 16) };
        let bits = (bits & 0xffff) as u32;
        let (mut length, mut symbol) = code.short[(bits >> 8) as usize];
        if length == 0 {
            let found = (1..=16usize).find(|&length| bits < code.bounds[length]).ok_or(self.no_code())?;
            let place = i32::try_from(bits >> (16 - found)).unwrap_or(i32::MAX) + code.offsets[found];
            length = u8::try_from(found).unwrap_or(16);
            symbol = *usize::try_from(place).ok().and_then(|place| code.symbols.get(place)).ok_or(Fault::Wrong)?;
        }
        self.skip(length.into())?;
        Ok(symbol)
    }

    /// The next bits, 16 at most.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Fault> {
        self.skip(count)?;
        if count == 0 {
            return Ok(0);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 16 bits")]
        Ok((self.hold >> self.have & ((1 << count) - 1)) as u32)
    }

    /// Goes past the next bits, 16 at most.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) -> Result<(), Fault> {
        if self.have < count {
            self.fill();
        }
        self.have = self.have.checked_sub(count).ok_or(Fault::Missing)?;
        Ok(())
    }

    /// Goes past the restart marker with this number from 0 to 7. Gives what was left before it.
    pub(super) fn restart(&mut self, number: u8) -> Result<Option<Range<usize>>, Fault> {
        let left = self.finish();
        let end = self.after_filling();
        if end == self.at {
            return Err(Fault::Missing);
        }
        if self.bytes.get(end) != Some(&(0xd0 + number)) {
            return Err(Fault::Restart);
        }
        self.at = end + 1;
        Ok(left)
    }

    /// Goes to the next marker. Gives the bytes before it that nothing needed, without the bits that fill the last byte.
    pub(super) fn finish(&mut self) -> Option<Range<usize>> {
        // Back by the bytes that were looked at too early; of FF 00, both.
        for _ in 0..self.have / 8 {
            self.at -= 1;
            if self.bytes[self.at] == 0 && self.bytes[self.at - 1] == 0xff {
                self.at -= 1;
                while self.bytes[self.at - 1] == 0xff {
                    self.at -= 1;
                }
            }
        }
        (self.hold, self.have) = (0, 0);
        let start = self.at;
        while self.next_byte().is_some() {}
        (start < self.at).then_some(start..self.at)
    }

    /// Looks further ahead, as far as there are data.
    fn fill(&mut self) {
        while self.have <= 56 {
            let Some(byte) = self.next_byte() else { break };
            self.hold = self.hold << 8 | u64::from(byte);
            self.have += 8;
        }
    }

    /// The next byte, unless a marker or the file's end comes first.
    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        if byte != 0xff {
            self.at += 1;
            return Some(byte);
        }
        let end = self.after_filling();
        if self.bytes.get(end) != Some(&0) {
            return None;
        }
        self.at = end + 1;
        Some(byte)
    }

    /// Where the bytes FF end that start here.
    #[inline(never)]
    fn after_filling(&self) -> usize {
        let mut end = self.at;
        while self.bytes.get(end) == Some(&0xff) {
            end += 1;
        }
        end
    }

    /// Why no code fits: there is none, or it is not there to its end.
    fn no_code(&self) -> Fault {
        if self.have < 16 { Fault::Missing } else { Fault::Wrong }
    }
}
