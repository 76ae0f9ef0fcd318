//! A pool of memory: polynomials take tens of megabytes, and getting fresh pages for each from the system takes as long as the
//! arithmetic.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize;

use crate::math::words::Words;

/// The maximum number of words in the pool: 1 GiB.
const MOST: usize = 1 << 27;

/// The free memory, by length.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Free>);

#[derive(Debug, Default)]
struct Free {
    total: usize,
    by_length: BTreeMap<usize, Vec<Words>>,
}

impl Free {
    /// Takes the shortest piece that is long enough, but not more than twice as long.
    fn pop(&mut self, length: usize) -> Option<Words> {
        let (&found, words) = self.by_length.range_mut(length..=2 * length).find(|(_, words)| !words.is_empty())?;
        self.total -= found;
        words.pop()
    }
}

impl Pool {
    /// `length` words with arbitrary content.
    pub(in super::super) fn take(self: &Arc<Self>, length: usize) -> Room {
        let old = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop(length);
        Room { words: Some(old.unwrap_or_else(|| Words::new(length))), length, pool: Arc::clone(self) }
    }
}

/// Words that return to their pool when dropped. Secrets in them must be wiped first.
#[derive(Debug)]
pub struct Room {
    /// Present until the value is dropped.
    words: Option<Words>,
    /// The number of words in use.
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
