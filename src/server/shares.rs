//! Limits of a resource, for all clients together and for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client::Client;
use crate::error::{Code, Error};

/// The longest time that a client is asked to wait, in seconds.
const LONGEST_WAIT: u32 = 600;

/// A limited resource.
pub(super) struct Shares {
    most: u64,
    each: u64,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    all: u64,
    by: HashMap<Client, u64>,
}

/// The limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The limit of all clients together.
    All,
    /// The client's own limit.
    Own,
}

impl Full {
    /// The error for the client: the text `all` or `own`, depending on the limit, and the time after which to try
    /// again.
    pub(super) fn error(self, all: &str, own: &str, retry_after: Duration) -> Error {
        let (code, message) = match self {
            Self::All => (Code::TooBusy, all),
            Self::Own => (Code::QuotaExceeded, own),
        };
        Error::new(code, message).with_retry_after(seconds(retry_after))
    }
}

impl Shares {
    /// A limit of `most` for all clients together, and of `each` for one client.
    pub(super) fn new(most: u64, each: u64) -> Arc<Self> {
        Arc::new(Self { most, each, used: Mutex::default() })
    }

    /// Takes an amount for a client.
    pub(super) fn take(self: &Arc<Self>, client: Client, amount: u64) -> Result<Share, Full> {
        let mut share = Share { shares: Arc::clone(self), client: Some(client), amount: 0 };
        share.grow(amount)?;
        Ok(share)
    }

    /// Counts an existing amount of an unknown client.
    pub(super) fn adopt(self: &Arc<Self>, amount: u64) -> Share {
        self.used().all += amount;
        Share { shares: Arc::clone(self), client: None, amount }
    }

    /// Whether a client could take an amount now.
    pub(super) fn check(&self, client: Client, amount: u64) -> Result<(), Full> {
        self.room(&self.used(), client, amount)
    }

    fn room(&self, used: &Used, client: Client, amount: u64) -> Result<(), Full> {
        let own = used.by.get(&client).copied().unwrap_or_default();
        if own.saturating_add(amount) > self.each {
            Err(Full::Own)
        } else if used.all.saturating_add(amount) > self.most {
            Err(Full::All)
        } else {
            Ok(())
        }
    }

    /// The amount taken.
    pub(super) fn taken(&self) -> u64 {
        self.used().all
    }

    /// The limit of one client.
    pub(super) fn each(&self) -> u64 {
        self.each.min(self.most)
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // The counts are consistent at every moment, so a panic elsewhere does no harm.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An amount that was taken, given back when dropped.
pub(super) struct Share {
    shares: Arc<Shares>,
    client: Option<Client>,
    amount: u64,
}

impl Share {
    /// Takes more.
    pub(super) fn grow(&mut self, more: u64) -> Result<(), Full> {
        let mut used = self.shares.used();
        if let Some(client) = self.client {
            self.shares.room(&used, client, more)?;
            *used.by.entry(client).or_default() += more;
        }
        used.all += more;
        drop(used);
        self.amount += more;
        Ok(())
    }

    /// Takes more, or gives some back, to reach `amount`.
    pub(super) fn set(&mut self, amount: u64) -> Result<(), Full> {
        if let Some(more) = amount.checked_sub(self.amount) {
            return self.grow(more);
        }
        self.give_back(self.amount - amount);
        Ok(())
    }

    /// Gives some of it back.
    pub(super) fn shrink(&mut self, less: u64) {
        self.give_back(less.min(self.amount));
    }

    /// Its client, if known.
    pub(super) const fn client(&self) -> Option<Client> {
        self.client
    }

    fn give_back(&mut self, amount: u64) {
        let mut used = self.shares.used();
        used.all -= amount;
        if let Some(client) = self.client
            && let Some(own) = used.by.get_mut(&client)
        {
            *own -= amount;
            if *own == 0 {
                used.by.remove(&client);
            }
        }
        drop(used);
        self.amount -= amount;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.amount);
    }
}

/// A time to wait in whole seconds, at least one.
pub(super) fn seconds(time: Duration) -> u32 {
    let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
    u32::try_from(seconds).unwrap_or(u32::MAX).clamp(1, LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Client {
        Client::new([127, 0, 0, number].into())
    }

    #[test]
    fn each_has_a_share_and_all_have_a_limit() {
        let shares = Shares::new(10, 6);
        let mut first = shares.take(client(1), 5).expect("room");
        assert_eq!(first.grow(2), Err(Full::Own));
        assert_eq!(first.grow(1), Ok(()));
        let second = shares.take(client(2), 4).expect("room");
        assert_eq!(shares.check(client(3), 1), Err(Full::All));
        assert_eq!(shares.take(client(2), 1).err(), Some(Full::All));
        first.set(1).expect("less is always possible");
        assert_eq!(shares.taken(), 5);
        drop((first, second));
        assert_eq!(shares.taken(), 0);
        assert!(shares.used().by.is_empty(), "clients who have nothing are forgotten");
    }

    #[test]
    fn what_was_there_before_counts_for_all_alone() {
        let shares = Shares::new(10, 6);
        let old = shares.adopt(8);
        assert_eq!(shares.take(client(1), 3).err(), Some(Full::All));
        assert!(shares.take(client(1), 2).is_ok());
        drop(old);
        assert!(shares.take(client(1), 6).is_ok());
    }

    #[test]
    fn times_to_wait_are_rounded_up() {
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::from_millis(9001)), 10);
        assert_eq!(seconds(Duration::MAX), LONGEST_WAIT);
    }
}
