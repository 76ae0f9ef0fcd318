//! Long work that continues without its client: each job has an unguessable id, from its upload to its expiry.
//!
//! Only those who know the id, a [capability](super::capability), can read, cancel and delete the job.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::{self, Admission, QueueSlot};
use super::capability::{self, Key};
use super::client::Client;
use super::config::Limits;
use super::shares::{Full, Share, Shares};
use super::spool::Stored;
use super::work::{self, Progress, Supervision};
use crate::error::{Code, Error, Result};

/// All jobs of the server.
pub(super) struct Jobs {
    table: Mutex<HashMap<Key, Entry>>,
    shares: Arc<Shares>,
    keep: Duration,
    /// Cancelled when the server ends.
    end: CancellationToken,
}

/// A job in the table, and its share of the limit.
struct Entry {
    job: Arc<Job>,
    share: Share,
}

/// One job.
pub(super) struct Job {
    state: watch::Sender<State>,
    progress: watch::Sender<Progress>,
    cancel: CancellationToken,
    result: OnceLock<Arc<Stored>>,
    ended: OnceLock<Instant>,
    /// Whether a client has fetched the result, or learnt that there is none.
    settled: AtomicBool,
}

/// The state of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Running,
    Done,
    Failed(Error),
}

impl State {
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Failed(_))
    }
}

impl Jobs {
    pub(super) fn new(limits: &Limits, end: CancellationToken) -> Self {
        let shares = Shares::new(limits.jobs as u64, limits.client.jobs as u64);
        Self { table: Mutex::default(), shares, keep: limits.keep_results, end }
    }

    /// Checks that there is room for one more job. Called before the upload; [`Jobs::start`] checks again.
    pub(super) fn check_room(&self, client: Client) -> Result<()> {
        let table = self.table();
        match self.shares.check(client, 1) {
            Err(full) if oldest_fetched(&table, full, client).is_none() => Err(self.no_room(&table, full, client)),
            _ => Ok(()),
        }
    }

    /// Adds a job, which runs when its turn comes, and returns its id.
    pub(super) fn start<W>(
        self: &Arc<Self>,
        admission: &Arc<Admission>,
        client: Client,
        place: QueueSlot,
        time: Duration,
        work: W,
    ) -> Result<String>
    where
        W: FnOnce(&Supervision) -> Result<Stored> + Send + 'static,
    {
        let id = capability::new()?;
        let key = capability::key(&id);
        let job = Arc::new(Job {
            state: watch::Sender::new(State::Waiting),
            progress: watch::Sender::new((0, 0)),
            cancel: self.end.child_token(),
            result: OnceLock::new(),
            ended: OnceLock::new(),
            settled: AtomicBool::new(false),
        });
        {
            let mut table = self.table();
            let share = self.make_room(&mut table, client)?;
            table.insert(key, Entry { job: Arc::clone(&job), share });
        }
        let (jobs, admission) = (Arc::clone(self), Arc::clone(admission));
        tokio::spawn(async move {
            job.live(&admission, place, time, work).await;
            tokio::select! {
                () = job.cancel.cancelled() => {}
                () = tokio::time::sleep(jobs.keep) => {}
            }
            jobs.table().remove(&key);
        });
        Ok(id)
    }

    /// Takes room for one more job. If there is none, the oldest job whose result was fetched is deleted.
    fn make_room(&self, table: &mut HashMap<Key, Entry>, client: Client) -> Result<Share> {
        loop {
            let full = match self.shares.take(client, 1) {
                Ok(share) => return Ok(share),
                Err(full) => full,
            };
            let Some(oldest) = oldest_fetched(table, full, client) else {
                return Err(self.no_room(table, full, client));
            };
            if let Some(entry) = table.remove(&oldest) {
                entry.job.cancel.cancel();
            }
        }
    }

    fn no_room(&self, table: &HashMap<Key, Entry>, full: Full, client: Client) -> Error {
        let ends = table.values().filter(|entry| entry.makes_room(full, client)).map(|entry| entry.job.ended.get());
        // Unfinished jobs are kept for the full time after their end.
        let left = |end: Option<&Instant>| end.map_or(self.keep, |end| self.keep.saturating_sub(end.elapsed()));
        full.error(
            "the server keeps as many jobs as it can; try again in a few minutes",
            "this network address has reached its limit of jobs; fetch and delete some, or wait until they expire",
            admission::seconds(ends.map(left).min().unwrap_or(self.keep)),
        )
    }

    /// The job with this id. The error is the same for an id that never existed, was deleted or has expired.
    pub(super) fn get(&self, id: &str) -> Result<Arc<Job>> {
        self.table().get(&capability::key(id)).map(|entry| Arc::clone(&entry.job)).ok_or_else(not_found)
    }

    /// Cancels the job if it has not finished, and deletes it.
    pub(super) fn delete(&self, id: &str) -> Result<()> {
        let Entry { job, .. } = self.table().remove(&capability::key(id)).ok_or_else(not_found)?;
        job.cancel.cancel();
        job.end(Err(Error::new(Code::Cancelled, "the job was cancelled")));
        Ok(())
    }

    /// Whether no finished job waits to be fetched.
    pub(super) fn all_settled(&self) -> bool {
        self.unfetched() == 0
    }

    /// How many finished jobs wait for somebody to fetch them.
    pub(super) fn unfetched(&self) -> usize {
        self.table().values().filter(|Entry { job, .. }| !job.is_settled() && job.state.borrow().is_final()).count()
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        // The table is whole at every moment, so a panic elsewhere does not spoil it.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Whether deleting it makes room under this limit.
    fn makes_room(&self, full: Full, client: Client) -> bool {
        full == Full::All || self.share.client() == Some(client)
    }
}

/// The job that ended first among those that can be deleted, because their result was fetched.
fn oldest_fetched(table: &HashMap<Key, Entry>, full: Full, client: Client) -> Option<Key> {
    let fetched = table.iter().filter(|(_, entry)| entry.makes_room(full, client) && entry.job.is_settled());
    let ended = fetched.filter_map(|(key, entry)| Some((*entry.job.ended.get()?, *key)));
    ended.min().map(|(_, key)| key)
}

impl Job {
    /// Waits for its turn, works, and notes the outcome.
    async fn live<W>(self: &Arc<Self>, admission: &Admission, place: QueueSlot, time: Duration, work: W)
    where
        W: FnOnce(&Supervision) -> Result<Stored> + Send + 'static,
    {
        let turn = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return,
            turn = admission.turn(&place) => turn,
        };
        self.advance(State::Running);
        let started = Instant::now();
        let supervision = Supervision {
            cancel: self.cancel.clone(),
            deadline: started + time,
            progress: Some(self.progress.clone()),
        };
        let outcome = match turn {
            Ok(turn) => work::run(turn, move || work(&supervision)).await,
            Err(error) => Err(error),
        };
        super::telemetry::job_ended(started.elapsed(), outcome.as_ref());
        self.end(outcome);
        drop(place);
    }

    fn end(&self, outcome: Result<Stored>) {
        // Set once, by the first end.
        let _ = self.ended.set(Instant::now());
        match outcome {
            Ok(stored) => {
                // Set once: only the one worker brings a result.
                let _ = self.result.set(Arc::new(stored));
                self.advance(State::Done);
            }
            Err(error) => self.advance(State::Failed(error)),
        }
    }

    /// Moves to the next state. A final state stays.
    fn advance(&self, next: State) {
        self.state.send_if_modified(|state| {
            let moves = !state.is_final();
            if moves {
                *state = next;
            }
            moves
        });
    }

    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(super) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Waits for news after the given state and progress.
    pub(super) async fn news(&self, state: &State, progress: Progress) {
        let (mut states, mut steps) = (self.state.subscribe(), self.progress.subscribe());
        // The senders live as long as `self`, so neither wait can fail.
        tokio::select! {
            _ = states.wait_for(|now| now != state) => {}
            _ = steps.wait_for(|now| *now != progress) => {}
        }
    }

    /// The result, if finished.
    pub(super) fn result(&self) -> Result<Arc<Stored>> {
        match self.state() {
            State::Done => self.result.get().cloned().ok_or_else(not_found),
            State::Failed(error) => Err(error),
            State::Waiting | State::Running => {
                let message = "the job has not finished; watch its events and try again";
                Err(Error::new(Code::JobNotFinished, message).with_retry_after(1))
            }
        }
    }

    /// Notes that the client has the result.
    pub(super) fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }
}

fn not_found() -> Error {
    Error::new(Code::JobNotFound, "the job does not exist, was deleted or has expired")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;

    use super::super::spool::Store;
    use super::*;
    use crate::watch::Watch;

    const MINUTE: Duration = Duration::from_mins(1);

    fn client(number: u8) -> Client {
        Client::new([127, 0, 0, number].into())
    }

    fn set_up(most: usize, keep: Duration) -> (Arc<Jobs>, Arc<Admission>) {
        let mut limits = Limits { jobs: most, keep_results: keep, running: 1, waiting: 4, ..Limits::default() };
        limits.client.jobs = 2;
        (Arc::new(Jobs::new(&limits, CancellationToken::new())), Arc::new(Admission::new(&limits)))
    }

    fn letters(text: &[u8]) -> Result<Stored> {
        let mut spool = Store::new(std::env::temp_dir(), &Limits::default()).spool(client(1), 0)?;
        spool.write_all(text)?;
        spool.finish()
    }

    async fn until(job: &Job, wanted: fn(&State) -> bool) -> State {
        let mut states = job.state.subscribe();
        let reached = tokio::time::timeout(MINUTE, states.wait_for(wanted)).await;
        reached.expect("in time").expect("the job is there").clone()
    }

    #[tokio::test]
    async fn a_job_runs_is_fetched_and_expires() {
        let (jobs, admission) = set_up(1, Duration::from_millis(50));
        let place = admission.enter(client(1)).expect("room");
        let id = jobs.start(&admission, client(1), place, MINUTE, |_| letters(b"result")).expect("started");
        assert_eq!(id.len(), 24);
        let job = jobs.get(&id).expect("there");
        assert_eq!(until(&job, State::is_final).await, State::Done);
        assert_eq!(job.result().expect("the result").length(), 6);
        assert!(!jobs.all_settled());
        job.settle();
        assert!(jobs.all_settled() && admission.inside() == (0, 0));
        tokio::time::timeout(MINUTE, async {
            while jobs.get(&id).is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("it expires");
        assert_eq!(jobs.get(&id).err(), jobs.get("never was").err());
        assert!(jobs.check_room(client(1)).is_ok());
    }

    #[tokio::test]
    async fn deleting_stops_the_work_between_rows() {
        let (jobs, admission) = set_up(9, MINUTE);
        let (ended, end) = mpsc::channel();
        let place = admission.enter(client(1)).expect("room");
        let id = jobs
            .start(&admission, client(1), place, MINUTE, move |watch| {
                for row in 1.. {
                    watch.progress(row, u64::MAX);
                    std::thread::sleep(Duration::from_millis(1));
                    if let Err(error) = watch.check() {
                        let _ = ended.send(error.kind());
                        return Err(error);
                    }
                }
                letters(b"never")
            })
            .expect("started");
        let job = jobs.get(&id).expect("there");
        until(&job, |state| *state == State::Running).await;
        let before = job.progress();
        job.news(&State::Running, before).await;
        assert!(job.progress().0 > before.0);
        assert_eq!(job.result().err().map(|e| e.kind()), Some(Code::JobNotFinished));
        jobs.delete(&id).expect("deleted");
        assert_eq!(jobs.get(&id).err().map(|e| e.kind()), Some(Code::JobNotFound));
        assert_eq!(job.result().err().map(|e| e.kind()), Some(Code::Cancelled));
        let stopped = tokio::task::spawn_blocking(move || end.recv_timeout(MINUTE)).await.expect("no panic");
        assert_eq!(stopped, Ok(Code::Cancelled));
        assert_eq!(jobs.delete(&id).err().map(|e| e.kind()), Some(Code::JobNotFound));
    }

    #[tokio::test]
    async fn a_waiting_job_is_cancelled_without_running_and_the_next_one_runs() {
        let (jobs, admission) = set_up(9, MINUTE);
        let first = admission.enter(client(1)).expect("room");
        let turn = admission.turn(&first).await.expect("a turn");
        let start = |text: &'static [u8]| {
            jobs.start(&admission, client(1), admission.enter(client(1))?, MINUTE, move |_| letters(text))
        };
        let (second, third) = (start(b"second").expect("started"), start(b"third").expect("started"));
        assert_eq!(jobs.get(&second).expect("there").state(), State::Waiting);
        jobs.delete(&second).expect("deleted");
        drop(turn);
        let job = jobs.get(&third).expect("there");
        assert_eq!(until(&job, State::is_final).await, State::Done);
    }

    #[tokio::test]
    async fn failures_of_all_kinds_are_noted() {
        let (jobs, admission) = set_up(9, MINUTE);
        let slow = |watch: &Supervision| loop {
            watch.check()?;
            std::thread::sleep(Duration::from_millis(1));
        };
        let panics = |_: &Supervision| panic!("on purpose");
        let late = jobs
            .start(&admission, client(1), admission.enter(client(1)).expect("room"), Duration::from_millis(20), slow)
            .expect("started");
        let broken = jobs
            .start(&admission, client(1), admission.enter(client(1)).expect("room"), MINUTE, panics)
            .expect("started");
        for (id, code) in [(late, Code::TimeLimit), (broken, Code::Internal)] {
            let State::Failed(error) = until(&jobs.get(&id).expect("there"), State::is_final).await else {
                panic!("it cannot succeed");
            };
            assert_eq!(error.kind(), code);
        }
    }

    #[tokio::test]
    async fn there_is_an_end_to_the_room() {
        let (jobs, admission) = set_up(1, MINUTE);
        let id = jobs
            .start(&admission, client(1), admission.enter(client(1)).expect("room"), MINUTE, |_| letters(b"x"))
            .expect("started");
        assert_eq!(jobs.check_room(client(1)).err().map(|e| e.kind()), Some(Code::TooBusy));
        let refused =
            jobs.start(&admission, client(1), admission.enter(client(1)).expect("room"), MINUTE, |_| letters(b"x"));
        assert_eq!(refused.err().map(|e| e.kind()), Some(Code::TooBusy));
        jobs.delete(&id).expect("deleted");
        assert!(jobs.check_room(client(1)).is_ok());
    }

    #[tokio::test]
    async fn a_share_ends_before_the_room_and_what_was_fetched_makes_room() {
        let (jobs, admission) = set_up(3, MINUTE);
        let start = |number| {
            let place = admission.enter(client(number)).expect("room");
            jobs.start(&admission, client(number), place, MINUTE, |_| letters(b"x"))
        };
        let first = start(1).expect("started");
        let second = start(1).expect("started");
        for id in [&first, &second] {
            until(&jobs.get(id).expect("there"), State::is_final).await;
        }
        let refused = start(1).expect_err("two are its share");
        assert_eq!(refused.kind(), Code::QuotaExceeded);
        assert!((55..=60).contains(&refused.retry_after().expect("known")), "{refused:?}");
        start(2).expect("others have room");
        assert_eq!(start(3).expect_err("three are all").kind(), Code::TooBusy);

        jobs.get(&second).expect("there").settle();
        assert!(jobs.check_room(client(1)).is_ok());
        let third = start(1).expect("the fetched one makes room");
        assert!(jobs.get(&second).is_err() && jobs.get(&first).is_ok() && jobs.get(&third).is_ok());
    }
}
