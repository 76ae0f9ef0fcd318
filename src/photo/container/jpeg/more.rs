//! Other pictures in the file of a JPEG photo: a second view, the map of what is brighter than white (HDR), or whatever was
//! put behind it.

use crate::photo::colour::Tiff;

/// What the file says of other pictures, and has of them.
#[derive(Default)]
pub(super) struct Others {
    /// How many the index of a file of several pictures (CIPA DC-007, MPF) names that are no smaller copies of the photo.
    indexed: Option<usize>,
    behind: bool,
}

impl Others {
    /// Looks at the body of an application segment 2.
    pub(super) fn look_at(&mut self, body: &[u8]) {
        if let Some(index) = body.strip_prefix(b"MPF\0") {
            self.indexed = self.indexed.or_else(|| indexed(index));
        }
    }

    /// Looks at what follows the photo, where some programs put zeros first.
    pub(super) fn look_behind(&mut self, rest: &[u8]) {
        let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
        self.behind = rest[zeros..].starts_with(super::MARK);
    }

    /// Whether there is more than the photo. The index says what is behind it, if there is one.
    pub(super) fn left_out(&self) -> bool {
        self.indexed.map_or(self.behind, |count| count > 0)
    }
}

/// How many pictures an index names besides the first one and its smaller copies.
fn indexed(index: &[u8]) -> Option<usize> {
    const ENTRIES: u16 = 0xb002;
    const ENTRY: usize = 16;
    const KIND_OF_COPIES: u8 = 1;
    let tiff = Tiff::new(index)?;
    let place = tiff.number(tiff.value(tiff.first?, ENTRIES)?)?;
    let length = tiff.number(tiff.value(tiff.first?, ENTRIES)? - 4)?;
    let entries = index.get(place..place.checked_add(length)?)?.chunks_exact(ENTRY);
    // Of the three bytes that say what a picture is, the highest is the kind.
    let kind = |entry: &[u8]| entry.get(if tiff.little { 2 } else { 1 }).copied();
    Some(entries.skip(1).filter(|entry| kind(entry) != Some(KIND_OF_COPIES)).count())
}
