//! Shelves: things that are kept for clients for a limited time, each under an id that only its owner knows.
//!
//! A shelf has room for a number of items, for all clients together and for each. A background task removes expired
//! items; it does not keep the shelf itself alive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::capability::{Id, Key};
use crate::error::{Error, Result};
use crate::server::client::Client;
use crate::server::shares::{Full, Share, Shares};

/// How soon to look again at an item that has expired but is in use.
const SOON: Duration = Duration::from_millis(1);

/// Something that a shelf keeps.
pub(in crate::server) trait Shelved: Send + 'static {
    /// When the item expires; `None` while that is unknown. Once it is known, [`Shelf::schedule`] must be called.
    fn expires(&self) -> Option<Instant>;

    /// Since when the item may be removed to make room for another one; `None` if it may not.
    fn may_go_since(&self) -> Option<Instant> {
        None
    }

    /// Called before the shelf removes the item. Returns whether no one is using it; after that, no one can.
    fn let_go(&self) -> bool {
        true
    }

    /// Called after the shelf has removed the item, but not after [`Shelf::take`].
    fn removed(&self) {}
}

/// The errors of a shelf.
pub(in crate::server) struct Words {
    /// Nothing has this id. The error is the same for an id that never existed, was deleted or has expired.
    pub(in crate::server) not_found: fn() -> Error,
    /// The limit of all clients is reached.
    pub(in crate::server) full: &'static str,
    /// The client's own limit is reached.
    pub(in crate::server) own: &'static str,
}

/// Items by the hashes of their ids.
pub(in crate::server) struct Shelf<T> {
    table: Mutex<HashMap<Key, Entry<T>>>,
    counts: Arc<Shares>,
    /// How long an item is kept if it does not give the time when it expires.
    keep: Duration,
    words: Words,
}

/// An item, and its part of the limits.
pub(in crate::server) struct Entry<T> {
    pub(in crate::server) item: T,
    /// `None` if the item no longer takes any room.
    pub(in crate::server) room: Option<Room>,
}

/// Room for one item, given back when dropped.
pub(in crate::server) struct Room {
    count: Share,
    _bytes: Option<Share>,
}

impl Room {
    /// Adds the bytes that the item takes.
    pub(in crate::server) fn with(self, bytes: Share) -> Self {
        Self { _bytes: Some(bytes), ..self }
    }

    /// Whether giving it back helps a client that has reached this limit.
    fn helps(&self, full: Full, client: Client) -> bool {
        full == Full::All || self.count.client() == Some(client)
    }
}

impl<T: Shelved> Shelf<T> {
    /// Room for `most` items in total, and for `each` of one client.
    pub(in crate::server) fn new(most: usize, each: usize, keep: Duration, words: Words) -> Arc<Self> {
        Arc::new(Self { table: Mutex::default(), counts: Shares::new(most as u64, each as u64), keep, words })
    }

    /// Takes room for one more item. If there is none, removes the item that has been removable for longest.
    ///
    /// # Errors
    /// `too_busy` or `quota_exceeded` if no item may be removed.
    pub(in crate::server) fn room(&self, client: Client) -> Result<Room> {
        loop {
            match self.counts.take(client, 1) {
                Ok(count) => return Ok(Room { count, _bytes: None }),
                Err(full) if self.make_room(full, client) => {}
                Err(full) => return Err(self.no_room(full, client)),
            }
        }
    }

    /// Room for an item of an unknown client that existed before the server started.
    pub(in crate::server) fn room_of_old(&self) -> Room {
        Room { count: self.counts.adopt(1), _bytes: None }
    }

    /// Checks that [`Shelf::room`] would succeed now.
    ///
    /// # Errors
    /// As [`Shelf::room`].
    pub(in crate::server) fn check_room(&self, client: Client) -> Result<()> {
        match self.counts.check(client, 1) {
            Err(full) if first_to_go(&self.table(), full, client).is_none() => Err(self.no_room(full, client)),
            _ => Ok(()),
        }
    }

    fn make_room(&self, full: Full, client: Client) -> bool {
        let mut table = self.table();
        let Some(key) = first_to_go(&table, full, client) else { return false };
        if !table.get(&key).is_some_and(|entry| entry.item.let_go()) {
            return false;
        }
        let gone = table.remove(&key);
        drop(table);
        gone.inspect(|entry| entry.item.removed()).is_some()
    }

    /// The error if a limit is reached, with the time until something expires whose room would help.
    pub(in crate::server) fn no_room(&self, full: Full, client: Client) -> Error {
        let now = Instant::now();
        let left = |entry: &Entry<T>| {
            entry.room.as_ref().filter(|room| room.helps(full, client))?;
            Some(entry.item.expires().map_or(self.keep, |expires| expires.saturating_duration_since(now)))
        };
        let wait = self.table().values().filter_map(left).min().unwrap_or(self.keep);
        full.error(self.words.full, self.words.own, wait)
    }

    /// Keeps an item until it expires, and returns its new id. Must run in the runtime.
    pub(in crate::server) fn put(self: &Arc<Self>, item: T, room: Room) -> Result<Id> {
        let id = Id::new()?;
        self.place(id.key(), item, Some(room));
        Ok(id)
    }

    /// Keeps an item under the hash of an id that it had before. Must run in the runtime.
    pub(in crate::server) fn place(self: &Arc<Self>, key: Key, item: T, room: Option<Room>) {
        self.table().insert(key, Entry { item, room });
        self.schedule(&key);
    }

    /// Removes an item when it expires. Call this again if the item expires earlier than before. Must run in the
    /// runtime.
    pub(in crate::server) fn schedule(self: &Arc<Self>, key: &Key) {
        let Some(mut until) = self.table().get(key).and_then(|entry| entry.item.expires()) else { return };
        let (shelf, key) = (Arc::downgrade(self), *key);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep_until(until).await;
                let Some(later) = shelf.upgrade().and_then(|shelf| shelf.expire(&key)) else { return };
                until = later;
            }
        });
    }

    /// Removes an item that has expired. Returns when to look again, if it is still there.
    fn expire(&self, key: &Key) -> Option<Instant> {
        let mut table = self.table();
        let item = &table.get(key)?.item;
        let (expires, now) = (item.expires()?, Instant::now());
        if expires > now {
            return Some(expires);
        }
        if !item.let_go() {
            return Some(now + SOON);
        }
        let gone = table.remove(key);
        drop(table);
        gone.inspect(|entry| entry.item.removed());
        None
    }

    /// The item with this id.
    pub(in crate::server) fn get(&self, id: &Id) -> Result<T>
    where
        T: Clone,
    {
        self.table().get(&id.key()).map(|entry| entry.item.clone()).ok_or_else(self.words.not_found)
    }

    /// Takes the item with this id from the shelf.
    pub(in crate::server) fn take(&self, id: &Id) -> Result<T> {
        // The table must be unlocked before the room is dropped.
        let entry = self.table().remove(&id.key());
        entry.map(|entry| entry.item).ok_or_else(self.words.not_found)
    }

    /// Removes an item if `meant` is true for it.
    pub(in crate::server) fn remove_if(&self, key: &Key, meant: impl FnOnce(&T) -> bool) {
        let mut table = self.table();
        let gone = table.get(key).is_some_and(|entry| meant(&entry.item)).then(|| table.remove(key));
        drop(table);
        drop(gone);
    }

    /// Changes an item in its place; `None` if it is not there.
    pub(in crate::server) fn update<R>(&self, key: &Key, change: impl FnOnce(&mut Entry<T>) -> R) -> Option<R> {
        self.table().get_mut(key).map(change)
    }

    /// The number of items for which `is` is true.
    pub(in crate::server) fn count(&self, is: impl Fn(&T) -> bool) -> usize {
        self.table().values().filter(|entry| is(&entry.item)).count()
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Entry<T>>> {
        // The table is consistent at every moment, so a panic elsewhere does no harm.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The item that has been removable for longest, among those whose room would help.
fn first_to_go<T: Shelved>(table: &HashMap<Key, Entry<T>>, full: Full, client: Client) -> Option<Key> {
    let helpful = table.iter().filter(|(_, entry)| entry.room.as_ref().is_some_and(|room| room.helps(full, client)));
    helpful.filter_map(|(key, entry)| Some((entry.item.may_go_since()?, *key))).min().map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;
    use crate::error::Code;

    const MINUTE: Duration = Duration::from_mins(1);

    /// An item whose answers a test sets.
    #[derive(Clone)]
    struct Thing {
        expires: Option<Instant>,
        may_go_since: Option<Instant>,
        in_use: Arc<AtomicBool>,
        removed: Arc<AtomicUsize>,
    }

    impl Thing {
        fn new(left: Option<Duration>) -> Self {
            let expires = left.map(|left| Instant::now() + left);
            Self { expires, may_go_since: None, in_use: Arc::default(), removed: Arc::default() }
        }
    }

    impl Shelved for Thing {
        fn expires(&self) -> Option<Instant> {
            self.expires
        }

        fn may_go_since(&self) -> Option<Instant> {
            self.may_go_since
        }

        fn let_go(&self) -> bool {
            !self.in_use.load(Ordering::Relaxed)
        }

        fn removed(&self) {
            self.removed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn shelf(most: usize, each: usize) -> Arc<Shelf<Thing>> {
        let not_found = || Error::new(Code::JobNotFound, "gone");
        Shelf::new(most, each, MINUTE, Words { not_found, full: "full", own: "own" })
    }

    fn client(number: u8) -> Client {
        Client::new([127, 0, 0, number].into())
    }

    fn put(shelf: &Arc<Shelf<Thing>>, number: u8, thing: &Thing) -> Result<Id> {
        shelf.put(thing.clone(), shelf.room(client(number))?)
    }

    fn code<T>(outcome: Result<T>) -> Option<Code> {
        outcome.err().map(|error| error.kind())
    }

    async fn until(so: impl Fn() -> bool) {
        let reached = async {
            while !so() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(MINUTE, reached).await.expect("in time");
    }

    #[tokio::test]
    async fn only_the_id_leads_to_an_item_and_whatever_is_gone_never_was() {
        let shelf = shelf(9, 9);
        let thing = Thing::new(Some(MINUTE));
        let id = put(&shelf, 1, &thing).expect("room");
        assert!(shelf.get(&id).is_ok());
        assert!(shelf.take(&id).is_ok());
        assert_eq!(shelf.get(&id).err(), shelf.get(&Id::from("never was".to_owned())).err());
        assert_eq!(shelf.take(&id).err(), shelf.get(&id).err());
        assert_eq!(thing.removed.load(Ordering::Relaxed), 0, "its owner took it");
        assert_eq!(shelf.counts.taken(), 0);
    }

    #[tokio::test]
    async fn items_expire_unless_they_are_in_use() {
        let shelf = shelf(9, 9);
        let (short, used) = (Thing::new(Some(Duration::ZERO)), Thing::new(Some(Duration::ZERO)));
        used.in_use.store(true, Ordering::Relaxed);
        let (first, second) = (put(&shelf, 1, &short).expect("room"), put(&shelf, 1, &used).expect("room"));
        until(|| shelf.get(&first).is_err()).await;
        assert_eq!(short.removed.load(Ordering::Relaxed), 1);
        assert!(shelf.get(&second).is_ok());
        used.in_use.store(false, Ordering::Relaxed);
        until(|| shelf.get(&second).is_err()).await;
        assert_eq!(shelf.counts.taken(), 0);
    }

    #[tokio::test]
    async fn an_item_may_learn_later_when_it_expires_or_change_its_mind() {
        let shelf = shelf(9, 9);
        let open = put(&shelf, 1, &Thing::new(None)).expect("room");
        let later = put(&shelf, 1, &Thing::new(Some(Duration::from_millis(20)))).expect("room");
        shelf.update(&later.key(), |entry| entry.item.expires = Some(Instant::now() + MINUTE)).expect("there");
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(shelf.get(&open).is_ok() && shelf.get(&later).is_ok());
        for id in [&open, &later] {
            shelf.update(&id.key(), |entry| entry.item.expires = Some(Instant::now())).expect("there");
            shelf.schedule(&id.key());
            until(|| shelf.get(id).is_err()).await;
        }
    }

    #[tokio::test]
    async fn the_one_that_may_go_for_longest_makes_room() {
        let shelf = shelf(3, 2);
        let now = Instant::now();
        let going = |since: Duration| Thing { may_go_since: Some(now + since), ..Thing::new(Some(MINUTE)) };
        let (late, early) = (going(Duration::from_secs(2)), going(Duration::from_secs(1)));
        let late_id = put(&shelf, 1, &late).expect("room");
        let early_id = put(&shelf, 1, &early).expect("room");
        let other = put(&shelf, 2, &going(Duration::ZERO)).expect("room");
        assert!(shelf.check_room(client(1)).is_ok());
        let third = put(&shelf, 1, &Thing::new(None)).expect("the early one goes");
        assert!(shelf.get(&early_id).is_err() && shelf.get(&late_id).is_ok() && shelf.get(&other).is_ok());
        assert_eq!(early.removed.load(Ordering::Relaxed), 1);
        // An item in use stays, whatever it answers.
        late.in_use.store(true, Ordering::Relaxed);
        assert_eq!(code(put(&shelf, 1, &Thing::new(None))), Some(Code::QuotaExceeded));
        // If all clients together have reached the limit, the item of another client is removed.
        put(&shelf, 3, &Thing::new(None)).expect("the other one goes");
        assert!(shelf.get(&other).is_err() && shelf.get(&third).is_ok());
    }

    #[tokio::test]
    async fn the_error_says_when_room_that_helps_is_free() {
        let shelf = shelf(3, 2);
        let with = |number, seconds| put(&shelf, number, &Thing::new(Some(Duration::from_secs(seconds))));
        with(1, 40).expect("room");
        let second = with(1, 30).expect("room");
        with(2, 10).expect("room");
        let wait = |number| shelf.check_room(client(number)).expect_err("full").retry_after().expect("known");
        assert_eq!(code(shelf.room(client(1))), Some(Code::QuotaExceeded));
        assert!((25..=30).contains(&wait(1)), "another client's room does not help");
        assert_eq!(code(shelf.room(client(3))), Some(Code::TooBusy));
        assert!((5..=10).contains(&wait(3)));
        // An item that no longer takes any room does not help.
        shelf.update(&second.key(), |entry| entry.room = None).expect("there");
        with(1, 50).expect("room");
        assert!((35..=40).contains(&wait(1)));
    }

    #[tokio::test]
    async fn what_was_there_before_counts_for_all_alone() {
        let shelf = shelf(1, 1);
        let id = Id::new().expect("random");
        shelf.place(id.key(), Thing::new(Some(MINUTE)), Some(shelf.room_of_old()));
        assert!(shelf.get(&id).is_ok());
        assert_eq!(code(shelf.room(client(1))), Some(Code::TooBusy));
        shelf.remove_if(&id.key(), |_| false);
        assert_eq!(shelf.count(|_| true), 1);
        shelf.remove_if(&id.key(), |_| true);
        assert!(shelf.room(client(1)).is_ok());
    }

    #[tokio::test]
    async fn its_task_does_not_keep_a_shelf_alive() {
        let shelf = shelf(9, 9);
        put(&shelf, 1, &Thing::new(Some(MINUTE))).expect("room");
        let weak = Arc::downgrade(&shelf);
        tokio::task::yield_now().await;
        drop(shelf);
        assert!(weak.upgrade().is_none());
    }
}
