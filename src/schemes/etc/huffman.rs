//! Optimised Huffman tables for JPEG files.
//!
//! The encoder makes such tables only together with a separate scan for each channel, whose headers cost small pictures more
//! than the tables save. So this module rewrites a file that has the standard's tables: the symbols in its scan stay, and with
//! them every coefficient and every pixel; only their codes change. `jpegtran -optimize` does the same. ITU-T T.81 (1992),
//! annexes B, C and F. The code lengths are optimal among those of at most 16 bits (Larmore, Hirschberg 1990, package-merge).
//!
//! The channels of a small picture share tables if two tables cost more than they save, which `jpegtran` does not do.

use crate::error::{Code as ErrorCode, Error, Result};

/// The longest code, in bits.
const LONGEST: usize = 16;
/// Codes of up to this length are looked up in a table.
const QUICK: u32 = 9;

/// Rewrites a file with tables optimised for it.
///
/// # Errors
/// [`Code::Internal`](ErrorCode::Internal) for files that our encoder never writes. It writes only sequential files of 8-bit
/// samples with all channels in one scan, without restarts.
pub(super) fn optimised(file: &[u8]) -> Result<Vec<u8>> {
    let written = Source::parse(file).and_then(Source::rewritten);
    written.ok_or_else(|| Error::new(ErrorCode::Internal, "the JPEG file could not be given tables of its own"))
}

/// The kinds of codes: DC is 0, AC is 1. Each kind has two tables, the maximum for sequential files.
type ByTable<T> = [[T; 2]; 2];

/// A channel of the scan.
struct Channel {
    id: u8,
    /// The number of blocks in each unit.
    blocks: usize,
    /// The number of its table of each kind.
    tables: [usize; 2],
}

/// A parsed file.
struct Source<'a> {
    /// Everything before the scan, except for Huffman tables.
    head: Vec<u8>,
    channels: Vec<Channel>,
    /// The number of units (MCUs) in the scan.
    units: usize,
    codes: ByTable<Option<Code>>,
    scan: &'a [u8],
}

impl<'a> Source<'a> {
    fn parse(file: &'a [u8]) -> Option<Self> {
        let mut rest = file.strip_prefix(b"\xff\xd8")?;
        let mut head = b"\xff\xd8".to_vec();
        let mut codes = ByTable::<Option<Code>>::default();
        let mut frame: &[u8] = &[];
        loop {
            let (&[0xff, marker, high, low], _) = rest.split_first_chunk::<4>()? else { return None };
            let (segment, after) = rest.split_at_checked(2 + usize::from(u16::from_be_bytes([high, low])))?;
            let body = segment.get(4..)?;
            match marker {
                0xc4 => read_codes(body, &mut codes)?,
                0xda => {
                    let (channels, units) = layout(frame, body)?;
                    return Some(Self { head, channels, units, codes, scan: after.strip_suffix(b"\xff\xd9")? });
                }
                // DRI: restarts.
                0xdd => return None,
                _ => {
                    // SOF0
                    if marker == 0xc0 {
                        frame = body;
                    }
                    head.extend_from_slice(segment);
                }
            }
            rest = after;
        }
    }

    /// Calls `see(channel, kind, symbol, (bits, length))` for every symbol in the scan, with the bits that follow it.
    fn walk(&self, mut see: impl FnMut(&Channel, usize, u8, (u32, u32))) -> Option<()> {
        let mut bits = Bits { data: self.scan, buffer: 0, length: 0 };
        for _ in 0..self.units {
            for channel in &self.channels {
                let [dc, ac] = channel.tables;
                let (dc, ac) = (self.codes[0][dc].as_ref()?, self.codes[1][ac].as_ref()?);
                for _ in 0..channel.blocks {
                    let symbol = bits.symbol(dc)?;
                    see(channel, 0, symbol, (bits.take(symbol.into())?, symbol.into()));
                    let mut at = 1;
                    while at < 64 {
                        let symbol = bits.symbol(ac)?;
                        let length = u32::from(symbol & 15);
                        see(channel, 1, symbol, (bits.take(length)?, length));
                        // The end of the block, a run of zeros before a coefficient, or 16 zeros.
                        at = if symbol == 0 { 64 } else { at + 1 + (symbol >> 4) };
                    }
                }
            }
        }
        Some(())
    }

    fn rewritten(mut self) -> Option<Vec<u8>> {
        let mut counts = ByTable::<[u64; 256]>::from([[[0; 256]; 2]; 2]);
        self.walk(|channel, kind, symbol, _| counts[kind][channel.tables[kind]][usize::from(symbol)] += 1)?;
        let mut new = ByTable::<Option<Code>>::default();
        let mut places = [[0, 1]; 2];
        for (kind, counts) in counts.iter().enumerate() {
            let apart = counts.each_ref().map(Code::best_for);
            let both: [u64; 256] = std::array::from_fn(|symbol| counts[0][symbol] + counts[1][symbol]);
            let together = Code::best_for(&both)?;
            let bits_apart: u64 =
                apart.iter().zip(counts).filter_map(|(code, counts)| Some(code.as_ref()?.cost(counts))).sum();
            if together.cost(&both) <= bits_apart {
                (new[kind], places[kind]) = ([Some(together), None], [0, 0]);
            } else {
                new[kind] = apart;
            }
        }
        let mut out = std::mem::take(&mut self.head);
        write_codes(&mut out, &new)?;
        write_scan_header(&mut out, &self.channels, places)?;
        let mut writer = Writer { out, buffer: 0, length: 0 };
        self.walk(|channel, kind, symbol, (bits, length)| {
            let place = places[kind][channel.tables[kind]];
            if let Some(code) = &new[kind][place] {
                let (code, code_length) = code.of_symbol[usize::from(symbol)];
                writer.put(code, code_length);
                writer.put(bits, length);
            }
        })?;
        Some(writer.finish())
    }
}

/// The channels of a scan and its number of units, from the bodies of the frame header and the scan header.
fn layout(frame: &[u8], scan: &[u8]) -> Option<(Vec<Channel>, usize)> {
    let (&[8, h1, h0, w1, w0, count], frame) = frame.split_first_chunk::<6>()? else { return None };
    let [height, width] = [[h1, h0], [w1, w0]].map(|side| usize::from(u16::from_be_bytes(side)));
    let (&scanned, scan) = scan.split_first()?;
    if scanned != count || frame.len() != 3 * usize::from(count) || scan.len() != 2 * usize::from(count) + 3 {
        return None;
    }
    let factors = |sampling: u8| (usize::from(sampling >> 4), usize::from(sampling & 15));
    let (mut across, mut down) = (0, 0);
    let mut channels = Vec::new();
    for (&[id, sampling, _], &[same_id, tables]) in frame.as_chunks::<3>().0.iter().zip(scan.as_chunks::<2>().0) {
        let (h, v) = factors(sampling);
        (across, down) = (across.max(h), down.max(v));
        let tables = [tables >> 4, tables & 15].map(usize::from);
        if id != same_id || tables.iter().any(|&table| table > 1) {
            return None;
        }
        channels.push(Channel { id, blocks: h * v, tables });
    }
    if across == 0 || down == 0 || (count == 1 && across * down != 1) {
        return None;
    }
    Some((channels, width.div_ceil(8 * across) * height.div_ceil(8 * down)))
}

fn read_codes(mut body: &[u8], codes: &mut ByTable<Option<Code>>) -> Option<()> {
    while let Some((&place, rest)) = body.split_first() {
        let (counts, rest) = rest.split_first_chunk::<LONGEST>()?;
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let (values, rest) = rest.split_at_checked(total)?;
        *codes.get_mut(usize::from(place >> 4))?.get_mut(usize::from(place & 15))? =
            Code::new(*counts, values.to_vec());
        body = rest;
    }
    Some(())
}

/// Writes one segment for all tables.
fn write_codes(out: &mut Vec<u8>, codes: &ByTable<Option<Code>>) -> Option<()> {
    let mut body = Vec::new();
    for (kind, codes) in (0u8..).zip(codes) {
        for (table, code) in (0u8..).zip(codes) {
            if let Some(code) = code {
                body.push(kind << 4 | table);
                body.extend_from_slice(&code.counts);
                body.extend_from_slice(&code.values);
            }
        }
    }
    out.extend_from_slice(b"\xff\xc4");
    out.extend_from_slice(&u16::try_from(body.len() + 2).ok()?.to_be_bytes());
    out.extend_from_slice(&body);
    Some(())
}

fn write_scan_header(out: &mut Vec<u8>, channels: &[Channel], places: [[usize; 2]; 2]) -> Option<()> {
    let count = u8::try_from(channels.len()).ok()?;
    out.extend_from_slice(&[0xff, 0xda, 0, 6 + 2 * count, count]);
    for channel in channels {
        let [dc, ac] = [0, 1].map(|kind| places[kind][channel.tables[kind]]);
        out.extend_from_slice(&[channel.id, u8::try_from(dc << 4 | ac).ok()?]);
    }
    // All 64 coefficients, in a single scan.
    out.extend_from_slice(&[0, 63, 0]);
    Some(())
}

/// A prefix code as JPEG defines it: the number of codes of each length, and the symbols in the order of their codes.
struct Code {
    counts: [u8; LONGEST],
    values: Vec<u8>,
    /// For each symbol, its code and the code's length, which is 0 if it has no code.
    of_symbol: [(u32, u32); 256],
    /// For the next [`QUICK`] bits, the symbol and its code's length, which is 0 if the code is longer.
    quick: Vec<(u8, u32)>,
}

impl Code {
    /// Makes a code. Returns `None` if the counts make no code.
    fn new(counts: [u8; LONGEST], values: Vec<u8>) -> Option<Self> {
        let mut of_symbol = [(0, 0); 256];
        let mut quick = vec![(0, 0); 1 << QUICK];
        let mut symbols = values.iter();
        let mut code = 0u32;
        for (length, &count) in (1u32..).zip(&counts) {
            for &symbol in symbols.by_ref().take(count.into()) {
                of_symbol[usize::from(symbol)] = (code, length);
                if length <= QUICK {
                    let first = (code << (QUICK - length)) as usize;
                    quick.get_mut(first..first + (1 << (QUICK - length)))?.fill((symbol, length));
                }
                code += 1;
            }
            if code > 1 << length {
                return None;
            }
            code <<= 1;
        }
        Some(Self { counts, values, of_symbol, quick })
    }

    /// The best code for symbols that occur with these counts. `None` if no symbol occurs.
    fn best_for(counts: &[u64; 256]) -> Option<Self> {
        let mut values: Vec<u8> = (0..=255).filter(|&symbol| counts[usize::from(symbol)] > 0).collect();
        if values.is_empty() {
            return None;
        }
        values.sort_by_key(|&symbol| counts[usize::from(symbol)]);
        // No code may consist of ones only. A symbol that never occurs gets that code, which is the longest and the last.
        let weights: Vec<u64> =
            std::iter::once(0).chain(values.iter().map(|&value| counts[usize::from(value)])).collect();
        let lengths = code_lengths(&weights);
        values.reverse();
        let mut of_length = [0; LONGEST];
        for &length in &lengths[1..] {
            of_length[length - 1] += 1;
        }
        Self::new(of_length, values)
    }

    /// The number of bits of all codes and of the table.
    fn cost(&self, counts: &[u64; 256]) -> u64 {
        let codes =
            counts.iter().zip(&self.of_symbol).map(|(count, &(_, length))| count * u64::from(length)).sum::<u64>();
        codes + 8 * (1 + LONGEST + self.values.len()) as u64
    }
}

/// The code lengths, at most [`LONGEST`], that minimise the sum of weight times length. There are 2 to 257 weights in ascending
/// order; the lengths descend.
fn code_lengths(weights: &[u64]) -> Vec<usize> {
    // Every row contains the weights and, merged into them, the sums of pairs of the previous row.
    let mut rows: Vec<Vec<bool>> = Vec::new();
    let mut row: Vec<u64> = Vec::new();
    for _ in 0..LONGEST {
        let mut pairs = row.chunks_exact(2).map(|pair| pair[0] + pair[1]).peekable();
        let mut merged: Vec<(u64, bool)> = Vec::new();
        for &weight in weights {
            while let Some(pair) = pairs.next_if(|&pair| pair < weight) {
                merged.push((pair, false));
            }
            merged.push((weight, true));
        }
        merged.extend(pairs.map(|pair| (pair, false)));
        rows.push(merged.iter().map(|&(_, single)| single).collect());
        row = merged.into_iter().map(|(weight, _)| weight).collect();
    }
    // Take the cheapest entries of the last row that make a complete code, and of each other row those in the taken pairs.
    let mut lengths = vec![0; weights.len()];
    let mut taken = 2 * weights.len() - 2;
    for row in rows.iter().rev() {
        let singles = row[..taken].iter().filter(|&&single| single).count();
        lengths[..singles].iter_mut().for_each(|length| *length += 1);
        taken = 2 * (taken - singles);
    }
    lengths
}

/// Reads a scan.
struct Bits<'a> {
    data: &'a [u8],
    /// The bits that were read but not used, from the highest bit on.
    buffer: u64,
    /// The number of these bits.
    length: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.length <= 56 {
            let Some((&byte, rest)) = self.data.split_first() else { return };
            // After FF there is a stuffed zero byte.
            self.data = if byte == 0xff { rest.get(1..).unwrap_or_default() } else { rest };
            self.buffer |= u64::from(byte) << (56 - self.length);
            self.length += 8;
        }
    }

    fn take(&mut self, length: u32) -> Option<u32> {
        self.length = self.length.checked_sub(length)?;
        let bits = u32::try_from(self.buffer.checked_shr(64 - length).unwrap_or(0)).ok()?;
        self.buffer <<= length;
        Some(bits)
    }

    /// Reads the next symbol. The bits that follow it are in the buffer, too.
    fn symbol(&mut self, code: &Code) -> Option<u8> {
        self.fill();
        let (symbol, length) = code.quick[usize::try_from(self.buffer >> (64 - QUICK)).ok()?];
        if length > 0 {
            self.take(length)?;
            return Some(symbol);
        }
        let (mut first, mut passed) = (0u64, 0);
        for (length, &count) in (1u32..).zip(&code.counts) {
            let ahead = (self.buffer >> (64 - length)).checked_sub(first)?;
            if ahead < count.into() {
                self.take(length)?;
                return code.values.get(passed + usize::try_from(ahead).ok()?).copied();
            }
            passed += usize::from(count);
            first = (first + u64::from(count)) << 1;
        }
        None
    }
}

/// Writes a scan.
struct Writer {
    out: Vec<u8>,
    /// The bits that were not written yet, in the lowest bits.
    buffer: u64,
    /// The number of these bits, below 8 between calls.
    length: u32,
}

impl Writer {
    fn put(&mut self, bits: u32, length: u32) {
        self.buffer = self.buffer << length | u64::from(bits);
        self.length += length;
        while self.length >= 8 {
            self.length -= 8;
            let [byte, ..] = (self.buffer >> self.length).to_le_bytes();
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
    }

    /// Fills the last byte with ones and ends the file.
    fn finish(mut self) -> Vec<u8> {
        self.put(0x7f, 7);
        self.out.extend_from_slice(b"\xff\xd9");
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cost of a code without a length limit: the sum of all sums of two.
    fn huffman(weights: &[u64]) -> u64 {
        let mut weights = weights.to_vec();
        let mut cost = 0;
        while weights.len() > 1 {
            weights.sort_unstable_by(|a, b| b.cmp(a));
            let two: u64 = weights.split_off(weights.len() - 2).iter().sum();
            weights.push(two);
            cost += two;
        }
        cost
    }

    fn cost(weights: &[u64]) -> u64 {
        let lengths = code_lengths(weights);
        let full: u32 = lengths.iter().map(|&length| 1 << (LONGEST - length)).sum();
        assert_eq!(full, 1 << LONGEST, "{lengths:?} make no whole code");
        weights.iter().zip(lengths).map(|(weight, length)| weight * length as u64).sum()
    }

    #[test]
    fn codes_are_the_best_and_not_too_long() {
        for count in 2..=257u64 {
            let mut weights: Vec<u64> = (0..count).map(|i| (i * i * 7919) % 1009).collect();
            weights.sort_unstable();
            assert_eq!(cost(&weights), huffman(&weights));
        }
        // Fibonacci numbers lead to the longest codes; 16 bits are too few for 18 of them.
        let mut weights = vec![1, 1];
        while weights.len() < 30 {
            weights.push(weights[weights.len() - 1] + weights[weights.len() - 2]);
            let (limited, free) = (cost(&weights), huffman(&weights));
            assert!(if weights.len() <= 17 { limited == free } else { limited > free && limited < free + free / 50 });
        }
    }

    #[test]
    fn what_our_encoder_does_not_write_is_refused() {
        for file in [
            b"".as_slice(),
            b"\xff\xd8",
            b"\xff\xd8\xff\xd9",
            b"\xff\xd8\xff\xc4\0\x03\0",
            b"\xff\xd8\xff\xda\0\x02\xff\xd9",
        ] {
            assert_eq!(optimised(file).expect_err("no file").kind(), ErrorCode::Internal);
        }
    }
}
