//! Memory that is used again: polynomials have tens of megabytes, and a system that hands out fresh pages for each of them
//! takes as long for it as the arithmetic does.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize;

use crate::math::words::Words;

/// What is kept at most, in words: 1 GiB.
const MOST: usize = 1 << 27;

/// What is free, by length.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Free>);

#[derive(Debug, Default)]
struct Free {
    total: usize,
    by_length: BTreeMap<usize, Vec<Words>>,
}

impl Free {
    /// The shortest that is long enough, but not more than twice as long.
    fn pop(&mut self, length: usize) -> Option<Words> {
        let (&found, words) = self.by_length.range_mut(length..=2 * length).find(|(_, words)| !words.is_empty())?;
        self.total -= found;
        words.pop()
    }
}

impl Pool {
    /// So many words with anything in them.
    pub(in super::super) fn take(self: &Arc<Self>, length: usize) -> Room {
        let old = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop(length);
        Room { words: Some(old.unwrap_or_else(|| Words::new(length))), length, pool: Arc::clone(self) }
    }
}

/// Words that go back to their pool. What is secret in them has to be wiped before.
#[derive(Debug)]
pub struct Room {
    /// Until it is dropped.
    words: Option<Words>,
    /// How many of them are used.
    length: usize,
    pool: Arc<Pool>,
}

impl Deref for Room {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        self.words.as_ref().map_or(&[], |words| &words[..self.length])
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [u64] {
        self.words.as_mut().map_or(&mut [], |words| &mut words[..self.length])
    }
}

impl Clone for Room {
    fn clone(&self) -> Self {
        let mut copy = self.pool.take(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl PartialEq for Room {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Room {}

impl Zeroize for Room {
    fn zeroize(&mut self) {
        (**self).zeroize();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut free = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(words) = self.words.take()
            && free.total + words.len() <= MOST
        {
            free.total += words.len();
            free.by_length.entry(words.len()).or_default().push(words);
        }
    }
}
