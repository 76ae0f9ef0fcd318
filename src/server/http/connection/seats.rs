//! Room for connections: a limit for all clients together, and one for each client.
//!
//! A connection is busy from the end of a request's header to the end of its answer. Losing an idle connection costs its client
//! nothing, so if there is no room, the one that has been idle longest is closed: of the same client, if it has reached its
//! limit; otherwise, of the client with the most connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::server::client::Client;
use crate::server::http::body::Companion;

pub(super) struct Seats {
    most: usize,
    each: usize,
    table: Mutex<Table>,
    /// Notified when a connection ends or becomes idle.
    freed: Notify,
}

#[derive(Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Open>,
    /// The number of connections of each client.
    by: HashMap<Client, usize>,
}

struct Open {
    /// `None` for a trusted proxy, whose connections belong to many clients.
    client: Option<Client>,
    /// The number of answers in progress, and since when there are none.
    busy: usize,
    idle_since: Instant,
    cut: CancellationToken,
}

impl Seats {
    pub(super) fn new(most: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { most, each, table: Mutex::default(), freed: Notify::new() })
    }

    /// Waits until there is room for a connection, or an idle one to close.
    pub(super) async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            {
                let table = self.table();
                if table.open.len() < self.most || table.open.values().any(|open| open.busy == 0) {
                    return;
                }
            }
            freed.await;
        }
    }

    /// Takes room for a connection. `None` if its client has reached its limit and all its connections are busy, or if all
    /// connections are busy.
    pub(super) fn take(self: &Arc<Self>, client: Option<Client>) -> Option<Arc<Seat>> {
        let mut table = self.table();
        if let Some(client) = client
            && table.by.get(&client).is_some_and(|count| *count >= self.each)
        {
            table.cut_oldest(|open| open.client == Some(client))?;
        } else if table.open.len() >= self.most {
            let most = table.by.iter().filter(|(client, _)| table.has_idle(**client)).max_by_key(|(_, count)| **count);
            let most = most.map(|(client, _)| *client);
            table.cut_oldest(|open| open.client == most)?;
        }
        let number = table.next;
        table.next += 1;
        let cut = CancellationToken::new();
        table.open.insert(number, Open { client, busy: 0, idle_since: Instant::now(), cut: cut.clone() });
        if let Some(client) = client {
            *table.by.entry(client).or_default() += 1;
        }
        Some(Arc::new(Seat { seats: Arc::clone(self), number, cut }))
    }

    /// Closes all idle connections.
    pub(super) fn cut_idle(&self) {
        let mut table = self.table();
        while table.cut_oldest(|_| true).is_some() {}
    }

    /// The number of busy connections.
    pub(super) fn answering(&self) -> usize {
        self.table().open.values().filter(|open| open.busy > 0).count()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // The table is consistent at every moment, so a panic elsewhere does no harm.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn has_idle(&self, client: Client) -> bool {
        self.open.values().any(|open| open.client == Some(client) && open.busy == 0)
    }

    /// Closes the connection that has been idle longest among those for which `of` is true.
    fn cut_oldest(&mut self, of: impl Fn(&Open) -> bool) -> Option<()> {
        let idle = self.open.iter().filter(|(_, open)| open.busy == 0 && of(open));
        let (_, number) = idle.map(|(number, open)| (open.idle_since, *number)).min()?;
        self.remove(number).map(|open| open.cut.cancel())
    }

    fn remove(&mut self, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        if let Some(client) = open.client
            && let Some(count) = self.by.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                self.by.remove(&client);
            }
        }
        Some(open)
    }
}

/// The room of one connection, free again when dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    cut: CancellationToken,
}

impl Seat {
    /// Ready when the connection must be closed.
    pub(super) async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Counts the connection as busy until the answer is dropped.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        if let Some(open) = self.seats.table().open.get_mut(&self.number) {
            open.busy += 1;
        }
        Answering(Arc::clone(self))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.table().remove(self.number);
        self.seats.freed.notify_one();
    }
}

/// An answer in progress.
pub(super) struct Answering(Arc<Seat>);

impl Drop for Answering {
    fn drop(&mut self) {
        let seats = &self.0.seats;
        if let Some(open) = seats.table().open.get_mut(&self.0.number) {
            open.busy -= 1;
            open.idle_since = Instant::now();
        }
        seats.freed.notify_one();
    }
}

/// The body of an answer keeps its connection busy.
impl Companion for Answering {}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Client {
        Client::new([127, 0, 0, number].into())
    }

    fn is_cut(seat: &Arc<Seat>) -> bool {
        seat.cut.is_cancelled()
    }

    #[tokio::test]
    async fn the_idle_make_room_and_the_busy_do_not() {
        let seats = Seats::new(10, 2);
        let first = seats.take(Some(client(1))).expect("room");
        let second = seats.take(Some(client(1))).expect("room");
        let third = seats.take(Some(client(1))).expect("the first makes room");
        assert!(is_cut(&first) && !is_cut(&second) && !is_cut(&third));
        let answers = [second.answering(), third.answering()];
        assert!(seats.take(Some(client(1))).is_none(), "all of its share is busy");
        assert!(seats.take(Some(client(2))).is_some(), "others have their own");
        assert_eq!(seats.answering(), 2);
        drop(answers);
        assert!(seats.take(Some(client(1))).is_some() && is_cut(&second));
    }

    #[tokio::test]
    async fn the_one_who_has_most_makes_room_for_others() {
        let seats = Seats::new(5, 9);
        let greedy = [1; 4].map(|number| seats.take(Some(client(number))).expect("room"));
        let polite = seats.take(Some(client(2))).expect("room");
        let other = seats.take(Some(client(3))).expect("the greedy one makes room");
        assert!(is_cut(&greedy[0]) && !is_cut(&polite));
        let answers: Vec<_> = greedy[1..].iter().chain([&polite, &other]).map(Seat::answering).collect();
        assert!(seats.take(Some(client(4))).is_none());
        let wait = tokio::time::timeout(std::time::Duration::from_millis(20), seats.room()).await;
        assert!(wait.is_err(), "there is no room and none that could make some");
        drop(answers);
        seats.room().await;
        seats.cut_idle();
        assert!(greedy.iter().all(is_cut) && is_cut(&polite) && is_cut(&other));
    }

    #[tokio::test]
    async fn a_proxys_connections_are_many_clients() {
        let seats = Seats::new(3, 1);
        let proxied = [0; 3].map(|_| seats.take(None).expect("room"));
        assert!(seats.take(Some(client(1))).is_some() && is_cut(&proxied[0]));
    }
}
