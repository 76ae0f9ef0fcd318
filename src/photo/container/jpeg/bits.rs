//! Entropy-coded data, bit by bit, and Huffman codes.

use std::ops::Range;

/// A fault in entropy-coded data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A marker, or the file's end, comes before the last block.
    Missing,
    /// A code that does not exist, or that leads out of the block.
    Wrong,
    /// A restart marker is missing, or is not the next one.
    Restart,
    /// The scan uses an undefined code table.
    NoTable,
}

/// A Huffman code.
pub(super) struct Code {
    /// By the next eight bits: the length of the code (0 if it is longer) and its symbol.
    short: [(u8, u8); 256],
    /// By length: the first code that is too large for this length, in 16 bits.
    bounds: [u32; 17],
    /// By length: the number to add to a code to get its index among the symbols.
    offsets: [i32; 17],
    symbols: Box<[u8]>,
}

impl Code {
    /// The code with `counts[i]` words of length `i + 1`, or `None` if there is no such code.
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
    /// The next bits, the first of which is the highest of `have` bits.
    hold: u64,
    have: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, hold: 0, have: 0 }
    }

    /// The reader's position in the file, after a call of [`Bits::finish`].
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Reads the next symbol.
    #[inline]
    pub(super) fn symbol(&mut self, code: &Code) -> Result<u8, Fault> {
        if self.have < 16 {
            self.fill();
        }
        // Zeros replace missing bits. A code that needs them is at least one bit too long.
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

    /// Reads the next bits, at most 16.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Fault> {
        self.skip(count)?;
        if count == 0 {
            return Ok(0);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 16 bits")]
        Ok((self.hold >> self.have & ((1 << count) - 1)) as u32)
    }

    /// Skips the next bits, at most 16.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) -> Result<(), Fault> {
        if self.have < count {
            self.fill();
        }
        self.have = self.have.checked_sub(count).ok_or(Fault::Missing)?;
        Ok(())
    }

    /// Skips the restart marker with this number from 0 to 7. Returns the unused bytes before it.
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

    /// Goes to the next marker. Returns the unused bytes before it, without the bits that fill the last byte.
    pub(super) fn finish(&mut self) -> Option<Range<usize>> {
        // Step back over the bytes that were read ahead; for FF 00, over both.
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

    /// Reads ahead as far as there are data.
    fn fill(&mut self) {
        while self.have <= 56 {
            let Some(byte) = self.next_byte() else { break };
            self.hold = self.hold << 8 | u64::from(byte);
            self.have += 8;
        }
    }

    /// The next byte, or `None` if a marker or the file's end comes first.
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

    /// The end of the run of FF bytes that starts here.
    #[inline(never)]
    fn after_filling(&self) -> usize {
        let mut end = self.at;
        while self.bytes.get(end) == Some(&0xff) {
            end += 1;
        }
        end
    }

    /// Why no code fits: it does not exist, or its end is missing.
    fn no_code(&self) -> Fault {
        if self.have < 16 { Fault::Missing } else { Fault::Wrong }
    }
}
