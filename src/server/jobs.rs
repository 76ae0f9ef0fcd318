//! Long work that its client need not stay for: each job under an unguessable id, from its upload to its expiry.
//!
//! Whoever holds the id, a [capability](super::capability), reads, cancels and deletes the job, and nobody else can.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::capability::{self, Key};
use super::gate::{Gate, Place};
use super::spool::{Quota, Stored};
use super::work::{self, Progress, Supervision};
use crate::error::{Code, Error, Result};

/// All jobs of the server.
pub(super) struct Jobs {
    table: Mutex<HashMap<Key, Arc<Job>>>,
    most: usize,
    keep: Duration,
    quota: Arc<Quota>,
}

/// One job.
pub(super) struct Job {
    state: watch::Sender<State>,
    progress: watch::Sender<Progress>,
    cancel: CancellationToken,
    result: OnceLock<Arc<Stored>>,
    /// Whether somebody has fetched the result, or learnt that there is none.
    settled: AtomicBool,
}

/// Where a job stands.
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
    pub(super) fn new(most: usize, stored_bytes: u64, keep: Duration) -> Self {
        Self { table: Mutex::default(), most, keep, quota: Quota::new(stored_bytes) }
    }

    /// The limit on what all jobs store.
    pub(super) fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }

    /// Whether there is room for one more job. Asked before the upload; [`Jobs::start`] makes sure of it.
    pub(super) fn check_room(&self) -> Result<()> {
        if self.table().len() < self.most { Ok(()) } else { Err(full()) }
    }

    /// Takes a job in, which will run as soon as it is its turn, and gives its id.
    pub(super) fn start<W>(self: &Arc<Self>, gate: &Arc<Gate>, place: Place, time: Duration, work: W) -> Result<String>
    where
        W: FnOnce(&Supervision) -> Result<Stored> + Send + 'static,
    {
        let id = capability::new()?;
        let key = capability::key(&id);
        let job = Arc::new(Job {
            state: watch::Sender::new(State::Waiting),
            progress: watch::Sender::new((0, 0)),
            cancel: CancellationToken::new(),
            result: OnceLock::new(),
            settled: AtomicBool::new(false),
        });
        {
            let mut table = self.table();
            if table.len() >= self.most {
                return Err(full());
            }
            table.insert(key, Arc::clone(&job));
        }
        let (jobs, gate) = (Arc::clone(self), Arc::clone(gate));
        tokio::spawn(async move {
            job.live(&gate, place, time, work).await;
            tokio::select! {
                () = job.cancel.cancelled() => {}
                () = tokio::time::sleep(jobs.keep) => {}
            }
            jobs.table().remove(&key);
        });
        Ok(id)
    }

    /// The job with this id. The answer is the same for an id that never was, was deleted, or has expired.
    pub(super) fn get(&self, id: &str) -> Result<Arc<Job>> {
        self.table().get(&capability::key(id)).cloned().ok_or_else(not_found)
    }

    /// Cancels the job if it has not finished, and forgets it.
    pub(super) fn delete(&self, id: &str) -> Result<()> {
        let job = self.table().remove(&capability::key(id)).ok_or_else(not_found)?;
        job.cancel.cancel();
        job.end(Err(Error::new(Code::Cancelled, "the job was cancelled")));
        Ok(())
    }

    /// Whether no finished job waits for somebody to fetch it.
    pub(super) fn all_settled(&self) -> bool {
        self.table().values().all(|job| job.settled.load(Ordering::Relaxed) || !job.state.borrow().is_final())
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Arc<Job>>> {
        // The table is whole at every moment, so a panic elsewhere does not spoil it.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// Waits for its turn, works, and notes the outcome.
    async fn live<W>(self: &Arc<Self>, gate: &Gate, place: Place, time: Duration, work: W)
    where
        W: FnOnce(&Supervision) -> Result<Stored> + Send + 'static,
    {
        let turn = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return,
            turn = gate.turn(&place) => turn,
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
        match outcome {
            Ok(stored) => {
                // Set once: only the one worker brings a result.
                let _ = self.result.set(Arc::new(stored));
                self.advance(State::Done);
            }
            Err(error) => self.advance(State::Failed(error)),
        }
    }

    /// Goes on to the next state. A final state stays.
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

    /// The result, once it is there.
    pub(super) fn result(&self) -> Result<Arc<Stored>> {
        match self.state() {
            State::Done => self.result.get().cloned().ok_or_else(not_found),
            State::Failed(error) => Err(error),
            State::Waiting | State::Running => {
                Err(Error::new(Code::JobNotFinished, "the job has not finished; watch its events and ask again"))
            }
        }
    }

    /// Notes that the client has what it came for.
    pub(super) fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }
}

fn not_found() -> Error {
    Error::new(Code::JobNotFound, "there is no such job, or it was deleted or has expired")
}

fn full() -> Error {
    Error::new(Code::TooBusy, "the server keeps as many jobs as it can; try again in some minutes")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;

    use super::super::spool::Spool;
    use super::*;
    use crate::watch::Watch;

    const MINUTE: Duration = Duration::from_mins(1);

    fn house(most: usize, keep: Duration) -> (Arc<Jobs>, Arc<Gate>) {
        (Arc::new(Jobs::new(most, 1000, keep)), Arc::new(Gate::new(1, 4)))
    }

    fn letters(text: &[u8]) -> Result<Stored> {
        let mut spool = Spool::new(&std::env::temp_dir(), 0, None);
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
        let (jobs, gate) = house(1, Duration::from_millis(50));
        let place = gate.enter().expect("room");
        let id = jobs.start(&gate, place, MINUTE, |_| letters(b"result")).expect("started");
        assert_eq!(id.len(), 24);
        let job = jobs.get(&id).expect("there");
        assert_eq!(until(&job, State::is_final).await, State::Done);
        assert_eq!(job.result().expect("the result").length(), 6);
        assert!(!jobs.all_settled());
        job.settle();
        assert!(jobs.all_settled() && gate.is_empty());
        tokio::time::timeout(MINUTE, async {
            while jobs.get(&id).is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("it expires");
        assert_eq!(jobs.get(&id).err(), jobs.get("never was").err());
        assert!(jobs.check_room().is_ok());
    }

    #[tokio::test]
    async fn deleting_stops_the_work_between_rows() {
        let (jobs, gate) = house(9, MINUTE);
        let (ended, end) = mpsc::channel();
        let place = gate.enter().expect("room");
        let id = jobs
            .start(&gate, place, MINUTE, move |watch| {
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
        let (jobs, gate) = house(9, MINUTE);
        let first = gate.enter().expect("room");
        let turn = gate.turn(&first).await.expect("a turn");
        let start = |text: &'static [u8]| jobs.start(&gate, gate.enter()?, MINUTE, move |_| letters(text));
        let (second, third) = (start(b"second").expect("started"), start(b"third").expect("started"));
        assert_eq!(jobs.get(&second).expect("there").state(), State::Waiting);
        jobs.delete(&second).expect("deleted");
        drop(turn);
        let job = jobs.get(&third).expect("there");
        assert_eq!(until(&job, State::is_final).await, State::Done);
    }

    #[tokio::test]
    async fn failures_of_all_kinds_are_noted() {
        let (jobs, gate) = house(9, MINUTE);
        let slow = |watch: &Supervision| loop {
            watch.check()?;
            std::thread::sleep(Duration::from_millis(1));
        };
        let panics = |_: &Supervision| panic!("on purpose");
        let late = jobs.start(&gate, gate.enter().expect("room"), Duration::from_millis(20), slow).expect("started");
        let broken = jobs.start(&gate, gate.enter().expect("room"), MINUTE, panics).expect("started");
        for (id, code) in [(late, Code::TimeLimit), (broken, Code::Internal)] {
            let State::Failed(error) = until(&jobs.get(&id).expect("there"), State::is_final).await else {
                panic!("it cannot succeed");
            };
            assert_eq!(error.kind(), code);
        }
    }

    #[tokio::test]
    async fn there_is_an_end_to_the_room() {
        let (jobs, gate) = house(1, MINUTE);
        let id = jobs.start(&gate, gate.enter().expect("room"), MINUTE, |_| letters(b"x")).expect("started");
        assert_eq!(jobs.check_room().err().map(|e| e.kind()), Some(Code::TooBusy));
        let refused = jobs.start(&gate, gate.enter().expect("room"), MINUTE, |_| letters(b"x"));
        assert_eq!(refused.err().map(|e| e.kind()), Some(Code::TooBusy));
        jobs.delete(&id).expect("deleted");
        assert!(jobs.check_room().is_ok());
    }
}
