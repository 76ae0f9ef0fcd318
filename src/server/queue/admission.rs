//! Admission of requests, and their turns.
//!
//! An upload takes a slot of its own kind, so that slow uploads do not hold up work. Once the whole body has arrived, the work
//! takes a place in the queue and waits for its turn. Clients take turns, however much work each has waiting. If a limit is
//! reached, the request fails at once: with `too_busy` if all clients together have reached it, with `quota_exceeded` if this
//! client has reached its own.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::{Code, Error, Result};
use crate::server::client::Client;
use crate::server::config::Limits;
use crate::server::shares::{Full, Share, Shares, seconds};

pub(in crate::server) struct Admission {
    uploads: Arc<Shares>,
    places: Arc<Shares>,
    running: usize,
    queue: Arc<Queue>,
    upload_times: Average,
    work_times: Arc<Average>,
    /// Set once no more work is accepted: the time at which the server ends.
    closed: Mutex<Option<Instant>>,
}

/// A slot for an upload, free again when dropped.
pub(in crate::server) struct UploadSlot {
    _share: Share,
}

/// A place in the queue, running included; free again when dropped.
pub(in crate::server) struct QueueSlot {
    client: Client,
    _share: Share,
}

impl Admission {
    pub(in crate::server) fn new(limits: &Limits) -> Self {
        let (uploads, places) = (limits.uploads as u64, (limits.running + limits.waiting) as u64);
        Self {
            uploads: Shares::new(uploads, limits.client.uploads as u64),
            places: Shares::new(places, limits.client.waiting as u64),
            running: limits.running,
            queue: Arc::new(Queue { turns: Mutex::new(Turns { free: limits.running, ..Turns::default() }) }),
            upload_times: Average::default(),
            work_times: Arc::default(),
            closed: Mutex::new(None),
        }
    }

    /// Admits an upload, if the queue has a place for its work at this moment.
    pub(in crate::server) fn upload(&self, client: Client) -> Result<UploadSlot> {
        self.check_open()?;
        self.places.check(client, 1).map_err(|full| self.queue_full(full))?;
        self.upload_alone(client)
    }

    /// Admits an upload that is not followed by work.
    pub(in crate::server) fn upload_alone(&self, client: Client) -> Result<UploadSlot> {
        self.check_open()?;
        let share = self.uploads.take(client, 1).map_err(|full| {
            full.error(
                "the server is receiving as many uploads as it can; try again later",
                "this network address has reached its limit of uploads; wait until one is finished",
                self.upload_times.get(),
            )
        })?;
        Ok(UploadSlot { _share: share })
    }

    /// Notes how long an upload took.
    pub(in crate::server) fn uploaded(&self, time: Duration) {
        self.upload_times.note(time);
    }

    /// Takes a place in the queue for work whose upload was admitted.
    pub(in crate::server) fn enter(&self, client: Client) -> Result<QueueSlot> {
        let share = self.places.take(client, 1).map_err(|full| self.queue_full(full))?;
        Ok(QueueSlot { client, _share: share })
    }

    fn queue_full(&self, full: Full) -> Error {
        // The time in which all turns together finish one piece of work. For work of one client, it takes a whole
        // round.
        let one = self.work_times.get() / u32::try_from(self.running).unwrap_or(u32::MAX).max(1);
        let rounds = match full {
            Full::All => 1,
            Full::Own => u32::try_from(self.queue.clients()).unwrap_or(u32::MAX).max(1),
        };
        full.error(
            "the server has as much work as it can take; try again later",
            "this network address has reached its limit of waiting work; wait until some is done",
            one.saturating_mul(rounds),
        )
    }

    /// Waits for the turn of the work that holds this place.
    pub(in crate::server) async fn turn(&self, place: &QueueSlot) -> Result<WorkSlot> {
        let turn = self.queue.join(place.client);
        let slot = turn.await.map_err(|_| Error::new(Code::Internal, "the queue was closed while work was waiting"))?;
        Ok(WorkSlot { _slot: slot, start: Instant::now(), times: Arc::clone(&self.work_times) })
    }

    /// Checks that new work is accepted.
    pub(in crate::server) fn check_open(&self) -> Result<()> {
        if self.is_closed() { Err(self.shutting_down()) } else { Ok(()) }
    }

    /// The error for work that is not accepted, or not finished, because the server ends.
    pub(in crate::server) fn shutting_down(&self) -> Error {
        let end = locked(&self.closed).unwrap_or_else(Instant::now);
        let left = seconds(end.saturating_duration_since(Instant::now()));
        let message = "the server is shutting down; try again later or elsewhere";
        Error::new(Code::ShuttingDown, message).with_retry_after(left)
    }

    /// Admits no more requests until the server ends. Admitted ones go on.
    pub(in crate::server) fn close(&self, end: Instant) {
        *locked(&self.closed) = Some(end);
    }

    pub(in crate::server) fn is_closed(&self) -> bool {
        locked(&self.closed).is_some()
    }

    /// The numbers of uploads in progress and of pieces of work that run or wait.
    pub(in crate::server) fn inside(&self) -> (u64, u64) {
        (self.uploads.taken(), self.places.taken())
    }
}

/// The right to run, passed on when dropped.
pub(in crate::server) struct WorkSlot {
    _slot: Slot,
    start: Instant,
    times: Arc<Average>,
}

impl Drop for WorkSlot {
    fn drop(&mut self) {
        self.times.note(self.start.elapsed());
    }
}

/// One of the available turns.
struct Slot {
    queue: Arc<Queue>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.queue.hand_on();
    }
}

/// Turns, and the clients that wait for one.
struct Queue {
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    free: usize,
    waiting: HashMap<Client, VecDeque<oneshot::Sender<Slot>>>,
    /// The clients with work waiting; the first one is next.
    round: VecDeque<Client>,
}

impl Queue {
    /// The number of clients with work waiting.
    fn clients(&self) -> usize {
        locked(&self.turns).round.len()
    }

    /// Joins the queue. The slot is given back if the receiver is gone.
    fn join(self: &Arc<Self>, client: Client) -> oneshot::Receiver<Slot> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut turns = locked(&self.turns);
            let line = turns.waiting.entry(client).or_default();
            // Remove requests that were given up.
            line.retain(|sender| !sender.is_closed());
            line.push_back(sender);
            if !turns.round.contains(&client) {
                turns.round.push_back(client);
            }
            if turns.free == 0 {
                return receiver;
            }
            turns.free -= 1;
        }
        self.hand_on();
        receiver
    }

    /// Gives a turn to the next client.
    fn hand_on(self: &Arc<Self>) {
        let Some(next) = locked(&self.turns).next() else { return };
        // If the receiver is gone, the slot is dropped here, which passes it on.
        drop(next.send(Slot { queue: Arc::clone(self) }));
    }
}

impl Turns {
    /// The next client in the round. If there is none, the turn is free.
    fn next(&mut self) -> Option<oneshot::Sender<Slot>> {
        while let Some(client) = self.round.pop_front() {
            let Some(line) = self.waiting.get_mut(&client) else { continue };
            let next = line.pop_front();
            if line.is_empty() {
                self.waiting.remove(&client);
            } else {
                self.round.push_back(client);
            }
            if next.is_some() {
                return next;
            }
        }
        self.free += 1;
        None
    }
}

/// A moving average of recent durations.
#[derive(Default)]
struct Average(Mutex<Option<Duration>>);

impl Average {
    /// The latest duration counts for an eighth.
    fn note(&self, time: Duration) {
        let mut average = locked(&self.0);
        *average = Some(average.map_or(time, |average| (average * 7 + time) / 8));
    }

    fn get(&self) -> Duration {
        locked(&self.0).unwrap_or_default()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Its content is consistent at every moment, so a panic elsewhere does no harm.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::ClientLimits;

    fn admission(running: usize, waiting: usize, uploads: usize) -> Admission {
        let client = ClientLimits { waiting: 3, uploads: 2, ..ClientLimits::default() };
        Admission::new(&Limits { uploads, running, waiting, client, ..Limits::default() })
    }

    fn client(number: u8) -> Client {
        Client::new([127, 0, 0, number].into())
    }

    async fn in_time<T>(future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(Duration::from_millis(20), future).await.ok()
    }

    #[tokio::test]
    async fn places_and_turns_are_limited_and_come_back() {
        let admission = admission(1, 1, 9);
        let first = admission.enter(client(1)).expect("room");
        let turn = admission.turn(&first).await.expect("a free turn");
        let second = admission.enter(client(1)).expect("one may wait");
        let refused = admission.enter(client(1)).err().expect("full");
        assert_eq!((refused.kind(), refused.retry_after()), (Code::TooBusy, Some(1)));
        assert_eq!(admission.upload(client(1)).err().map(|e| e.kind()), Some(Code::TooBusy));
        assert!(admission.upload_alone(client(1)).is_ok());
        assert!(in_time(admission.turn(&second)).await.is_none(), "the second runs only after the first");
        drop((turn, first));
        assert!(admission.turn(&second).await.is_ok());
        assert!(admission.enter(client(1)).is_ok());
    }

    #[tokio::test]
    async fn uploads_and_work_do_not_take_each_others_room() {
        let admission = admission(1, 9, 3);
        let slots = [admission.upload(client(1)), admission.upload(client(1))].map(|slot| slot.expect("room"));
        let refused = admission.upload(client(1)).err().map(|e| e.kind());
        assert_eq!(refused, Some(Code::QuotaExceeded));
        let place = admission.enter(client(1)).expect("room");
        assert!(in_time(admission.turn(&place)).await.is_some());
        let last = admission.upload(client(2)).expect("room for others");
        assert_eq!(admission.upload(client(3)).err().map(|e| e.kind()), Some(Code::TooBusy));
        drop((slots, last));
        assert!(admission.upload(client(1)).is_ok());
    }

    #[tokio::test]
    async fn turns_go_round_among_clients() {
        let admission = Arc::new(admission(1, 9, 9));
        let holder = admission.enter(client(9)).expect("room");
        let turn = admission.turn(&holder).await.expect("a turn");
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        // Three times the greedy one, then the polite one.
        for number in [1, 1, 1, 2] {
            let place = admission.enter(client(number)).expect("room");
            let (admission, done) = (Arc::clone(&admission), done.clone());
            tokio::spawn(async move {
                let turn = admission.turn(&place).await.expect("a turn");
                done.send(number).expect("heard");
                drop(turn);
            });
            tokio::task::yield_now().await;
        }
        assert_eq!(admission.enter(client(1)).err().map(|e| e.kind()), Some(Code::QuotaExceeded));
        drop((turn, holder));
        let mut served = Vec::new();
        for _ in 0..4 {
            served.push(order.recv().await.expect("all are served"));
        }
        assert_eq!(served, [1, 2, 1, 1]);
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_is_passed_over() {
        let admission = admission(1, 9, 9);
        let [first, second, third] = [1, 2, 3].map(|number| admission.enter(client(number)).expect("room"));
        let turn = admission.turn(&first).await.expect("a turn");
        assert!(in_time(admission.turn(&second)).await.is_none());
        drop(turn);
        assert!(in_time(admission.turn(&third)).await.is_some());
        assert!(in_time(admission.turn(&second)).await.is_some());
    }

    #[test]
    fn after_closing_nobody_is_let_in_but_those_inside_finish() {
        let admission = admission(2, 1, 9);
        let slot = admission.upload(client(1)).expect("room");
        admission.close(Instant::now() + Duration::from_secs(20));
        let refused = admission.upload(client(1)).err().expect("closed");
        assert_eq!((refused.kind(), refused.retry_after()), (Code::ShuttingDown, Some(20)));
        let place = admission.enter(client(1)).expect("its upload was let in before");
        assert_eq!(admission.inside(), (1, 1));
        drop((slot, place));
        assert_eq!(admission.inside(), (0, 0));
    }

    #[test]
    fn times_are_averaged() {
        let average = Average::default();
        assert_eq!(average.get(), Duration::ZERO);
        average.note(Duration::from_secs(8));
        average.note(Duration::from_secs(16));
        assert_eq!(average.get(), Duration::from_secs(9));
    }
}
