//! Files of evaluation keys: a list, then the switch keys one after another.
//!
//! These files are long, so nothing here needs a whole file: [`Checker`] processes it in pieces as they arrive, and [`SetHead`]
//! locates each key.

use std::ops::Range;
use std::sync::Arc;

use super::key::{self, Entry, Purpose, SWITCH_HEADER_BYTES, SwitchHead, read_switch, write_switch};
use super::{bad, key_id, parameters, same_set};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::keys::{Encapsulation, EvaluationKeys, KeyId, SwitchKey};
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;
use crate::wire::{Kind, MAX_HEADER, PROLOGUE_BYTES, Prologue, Reader, in_header, open, seal};

/// The number of bytes of an entry.
const ENTRY: usize = 7;
/// The number of bytes before the entries.
const FIXED: usize = 2 + 16 + 4;
/// The maximum number of keys in a set: the longest header has room for this number of entries.
const MOST_KEYS: usize = (MAX_HEADER as usize - FIXED) / ENTRY;

/// The contents of a set's header.
#[derive(Clone, Debug)]
pub struct SetHead {
    parameters: &'static Parameters,
    key: KeyId,
    entries: Vec<Entry>,
}

impl SetHead {
    /// A header for keys of this owner with these purposes.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if there are none, duplicates, or more than a header has room for; [`Code::BadHeader`] for levels
    /// or elements that the parameters do not have.
    pub fn new(parameters: &'static Parameters, key: KeyId, mut entries: Vec<Entry>) -> Result<Self> {
        entries.sort_unstable();
        let twice = entries.windows(2).any(|pair| pair[0] == pair[1]);
        if twice || entries.is_empty() || entries.len() > MOST_KEYS {
            let message = format!("a set has 1 to {MOST_KEYS} keys, all different");
            return Err(Error::new(Code::BadArgument, message));
        }
        Self::read(&Self { parameters, key, entries }.write())
    }

    /// The header's bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        // At most MOST_KEYS.
        let count = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let mut header = [&self.parameters.id.to_le_bytes()[..], &self.key.0, &count.to_le_bytes()].concat();
        header.extend(self.entries.iter().flat_map(|entry| entry.write(self.parameters)));
        seal(Kind::CkksEvaluationKeys, &header)
    }

    /// Reads the header at the start of a set.
    ///
    /// # Errors
    /// As [`open`], and [`Code::UnknownParameters`], [`Code::BadHeader`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::parse(open(bytes, Kind::CkksEvaluationKeys)?.header).map_err(in_header)
    }

    fn parse(header: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(header);
        let parameters = parameters(&mut reader)?;
        let key = key_id(&mut reader)?;
        let count = reader.u32()? as usize;
        if count == 0 || count > MOST_KEYS {
            return Err(bad("it has no keys, or too many"));
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = Entry::read(&mut reader, parameters)?;
            if entries.last().is_some_and(|last| *last >= entry) {
                return Err(bad("its keys are out of order, or one appears twice"));
            }
            entries.push(entry);
        }
        reader.end()?;
        Ok(Self { parameters, key, entries })
    }

    /// The parameter set.
    #[must_use]
    pub const fn parameters(&self) -> &'static Parameters {
        self.parameters
    }

    /// The key pair of all keys.
    #[must_use]
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// The keys in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The length of the header in bytes, prologue and checksum included.
    #[must_use]
    pub fn header_bytes(&self) -> usize {
        PROLOGUE_BYTES + FIXED + ENTRY * self.entries.len() + 4
    }

    /// The location of each key in the file.
    ///
    /// # Errors
    /// [`Code::Internal`] in theory.
    pub fn ranges(&self) -> Result<Vec<Range<u64>>> {
        let mut at = self.header_bytes() as u64;
        let range = |entry: &Entry| {
            let start = at;
            at += SWITCH_HEADER_BYTES as u64 + key::digits(self.parameters, *entry, 0)?.bytes();
            Ok(start..at)
        };
        self.entries.iter().map(range).collect()
    }

    /// The length of the whole file in bytes.
    ///
    /// # Errors
    /// [`Code::Internal`] in theory.
    pub fn total_bytes(&self) -> Result<u64> {
        Ok(self.ranges()?.last().map_or(0, |range| range.end))
    }

    fn expect(&self, place: usize, head: &SwitchHead) -> Result<()> {
        key::expect(head, self.parameters, self.key, self.entries[place])
    }
}

/// The bytes of a whole set. To save memory, write [`SetHead`] and then one key after another.
///
/// # Errors
/// As [`SetHead::new`].
pub fn write_set(ring: &Ring, keys: &EvaluationKeys) -> Result<Vec<u8>> {
    let relinearise = keys.relinearise().iter().map(|key| (Purpose::Relinearise, key));
    let galois = keys.galois().map(|(element, key)| (Purpose::Galois(element), key));
    let sparse =
        keys.encapsulation().map(|keys| [(Purpose::ToSparse, keys.to_sparse()), (Purpose::FromSparse, keys.back())]);
    let mut all: Vec<_> = relinearise.chain(galois).chain(sparse.into_iter().flatten()).collect();
    all.sort_by_key(|(purpose, key)| Entry::of(*purpose, key));
    let entries = all.iter().map(|(purpose, key)| Entry::of(*purpose, key)).collect();
    let mut bytes = SetHead::new(ring.parameters(), keys.id(), entries)?.write();
    for (purpose, key) in all {
        bytes.extend(write_switch(ring, keys.id(), purpose, key)?);
    }
    Ok(bytes)
}

/// Reads a whole set.
///
/// # Errors
/// As [`SetHead::read`] and [`read_switch`], and [`Code::ForeignKey`] for a switch key of another owner.
pub fn read_set(ring: &Ring, bytes: &[u8]) -> Result<EvaluationKeys> {
    let head = SetHead::read(bytes)?;
    same_set(ring, head.parameters)?;
    let length = usize::try_from(head.total_bytes()?)
        .map_err(|_| Error::new(Code::TooLarge, "too large for this machine's memory"))?;
    let mut reader = Reader::new(bytes);
    let whole = reader.take(length)?;
    reader.end()?;
    let keys = head.ranges()?.into_iter().enumerate().map(|(place, range)| {
        // Within the length, which fits.
        let range = usize::try_from(range.start).unwrap_or(length)..usize::try_from(range.end).unwrap_or(length);
        head.expect(place, &SwitchHead::read(&whole[range.clone()])?)?;
        let (_, key) = read_switch(ring, &whole[range])?;
        Ok((head.entries[place].purpose, Arc::new(key)))
    });
    gather(head.key, keys)
}

/// Puts the keys of one owner together, each with its purpose.
///
/// # Errors
/// The first error among the keys.
pub(crate) fn gather(
    owner: KeyId,
    keys: impl Iterator<Item = Result<(Purpose, Arc<SwitchKey>)>>,
) -> Result<EvaluationKeys> {
    let mut all = EvaluationKeys::new(owner);
    let mut sparse = [None, None];
    for key in keys {
        match key? {
            (Purpose::Relinearise, key) => all.insert_relinearise(key),
            (Purpose::Galois(element), key) => all.insert_galois(element, key),
            (Purpose::ToSparse, key) => sparse[0] = Some(key),
            (Purpose::FromSparse, key) => sparse[1] = Some(key),
        }
    }
    if let [Some(to), Some(back)] = sparse {
        all.set_encapsulation(Encapsulation::new(to, back));
    }
    Ok(all)
}

/// Checks a set as it arrives, in pieces of any length: every header, checksum and residue. Holds at most one limb in memory.
pub struct Checker {
    /// The announced length of the whole file.
    total: u64,
    /// The bytes of the current part that have arrived.
    part: Vec<u8>,
    next: Next,
    head: Option<SetHead>,
}

/// The next part of the file.
enum Next {
    Prologue,
    Header(usize),
    Switch { place: usize },
    Limb { place: usize, number: usize, head: Box<SwitchHead> },
    End,
}

impl Checker {
    /// A checker for a file with an announced length of `total` bytes.
    #[must_use]
    pub const fn new(total: u64) -> Self {
        Self { total, part: Vec::new(), next: Next::Prologue, head: None }
    }

    /// The header, if it has arrived.
    #[must_use]
    pub const fn head(&self) -> Option<&SetHead> {
        self.head.as_ref()
    }

    /// Processes the next bytes. Must not be called again after an error.
    ///
    /// # Errors
    /// As [`SetHead::read`] and [`read_switch`]; [`Code::Truncated`], [`Code::TrailingData`] if the length does not match the
    /// header; [`Code::ForeignKey`] and [`Code::WrongParameters`] for a switch key that does not belong here.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        loop {
            let wanted = self.wanted();
            if wanted == 0 {
                return Reader::new(bytes).end();
            }
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.part.len()));
            self.part.extend_from_slice(taken);
            bytes = rest;
            if self.part.len() < wanted {
                return Ok(());
            }
            self.next = self.step()?;
            // The prologue is a part of the header.
            if !matches!(self.next, Next::Header(_)) {
                self.part.clear();
            }
        }
    }

    /// The head of the set, if all of it has arrived and is valid.
    ///
    /// # Errors
    /// [`Code::Truncated`] if something is missing.
    pub fn finish(self) -> Result<SetHead> {
        match (self.next, self.head) {
            (Next::End, Some(head)) => Ok(head),
            _ => Err(Error::new(Code::Truncated, "the keys are incomplete; send the rest")),
        }
    }

    /// The length of the current part.
    fn wanted(&self) -> usize {
        match &self.next {
            Next::Prologue => PROLOGUE_BYTES,
            Next::Header(bytes) => *bytes,
            Next::Switch { .. } => SWITCH_HEADER_BYTES,
            Next::Limb { number, head, .. } => head.body.limb_bytes(*number),
            Next::End => 0,
        }
    }

    /// Checks the current part and returns the next one.
    fn step(&mut self) -> Result<Next> {
        let missing = || Error::new(Code::Internal, "a switch key came before the set's header");
        match &self.next {
            Next::Prologue => Ok(Next::Header(Prologue::parse(&self.part)?.total_bytes())),
            Next::Header(_) => {
                let head = SetHead::read(&self.part)?;
                let total = head.total_bytes()?;
                if total != self.total {
                    let code = if total > self.total { Code::Truncated } else { Code::TrailingData };
                    let message = format!("these keys have {total} bytes, not {} as announced", self.total);
                    return Err(Error::new(code, message));
                }
                self.head = Some(head);
                Ok(Next::Switch { place: 0 })
            }
            Next::Switch { place } => {
                // A header longer than that of a switch key belongs to something else.
                if Prologue::parse(&self.part)?.total_bytes() != SWITCH_HEADER_BYTES {
                    return Err(bad("a switch key's header has the wrong length"));
                }
                let head = SwitchHead::read(&self.part)?;
                self.head.as_ref().ok_or_else(missing)?.expect(*place, &head)?;
                Ok(Next::Limb { place: *place, number: 0, head: Box::new(head) })
            }
            Next::Limb { place, number, head } => {
                head.body.check_limb(*number, &self.part)?;
                let (place, number) = (*place, number + 1);
                if number < head.body.limbs() {
                    return Ok(Next::Limb { place, number, head: head.clone() });
                }
                let keys = self.head.as_ref().ok_or_else(missing)?.entries.len();
                Ok(if place + 1 < keys { Next::Switch { place: place + 1 } } else { Next::End })
            }
            Next::End => Ok(Next::End),
        }
    }
}
