//! Long work that continues without its client: each job has an unguessable id, from its upload to its expiry.
//!
//! Only those who know the id, a [capability](crate::server::store::capability), can read, cancel and delete the job.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::{Admission, QueueSlot};
use super::task::Outcome;
use super::work::{self, Progress, Supervision};
use crate::error::{Code, Error, Result};
use crate::server::client::Client;
use crate::server::config::Limits;
use crate::server::store::capability::Id;
use crate::server::store::shelf::{Shelf, Shelved, Words};

const WORDS: Words = Words {
    not_found,
    full: "the server keeps as many jobs as it can; try again in a few minutes",
    own: "this network address has reached its limit of jobs; fetch and delete some, or wait until they expire",
};

/// All jobs of the server.
pub(in crate::server) struct Jobs {
    shelf: Arc<Shelf<Arc<Job>>>,
    /// The longest time of a job's work.
    time: Duration,
    keep: Duration,
    /// Cancelled when the server ends.
    end: CancellationToken,
}

/// One job.
pub(in crate::server) struct Job {
    state: watch::Sender<State>,
    progress: watch::Sender<Progress>,
    cancel: CancellationToken,
    result: OnceLock<Arc<Outcome>>,
    ended: OnceLock<Instant>,
    keep: Duration,
    /// Whether a client has fetched the result, or learnt that there is none.
    settled: AtomicBool,
}

/// The state of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum State {
    Waiting,
    Running,
    Done,
    Failed(Error),
}

impl State {
    pub(in crate::server) fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Failed(_))
    }
}

impl Shelved for Arc<Job> {
    /// An unfinished job does not expire.
    fn expires(&self) -> Option<Instant> {
        self.ended.get().map(|ended| *ended + self.keep)
    }

    fn may_go_since(&self) -> Option<Instant> {
        self.ended.get().copied().filter(|_| self.is_settled())
    }
}

impl Jobs {
    pub(in crate::server) fn new(limits: &Limits, end: CancellationToken) -> Self {
        let shelf = Shelf::new(limits.jobs, limits.client.jobs, limits.keep_results, WORDS);
        Self { shelf, time: limits.time, keep: limits.keep_results, end }
    }

    /// Checks that there is room for one more job. Called before the upload; [`Jobs::start`] checks again.
    pub(in crate::server) fn check_room(&self, client: Client) -> Result<()> {
        self.shelf.check_room(client)
    }

    /// Adds a job, which works when its turn comes, and returns its id. If there is no room, the oldest job whose result was
    /// fetched is deleted. Must run in the runtime.
    pub(in crate::server) fn start(
        &self,
        admission: &Arc<Admission>,
        client: Client,
        place: QueueSlot,
        work: impl FnOnce(&Supervision) -> Result<Outcome> + Send + 'static,
    ) -> Result<Id> {
        let job = Arc::new(Job {
            state: watch::Sender::new(State::Waiting),
            progress: watch::Sender::new((0, 0)),
            cancel: self.end.child_token(),
            result: OnceLock::new(),
            ended: OnceLock::new(),
            keep: self.keep,
            settled: AtomicBool::new(false),
        });
        let id = self.shelf.put(Arc::clone(&job), self.shelf.room(client)?)?;
        let (shelf, key) = (Arc::clone(&self.shelf), id.key());
        let (admission, time) = (Arc::clone(admission), self.time);
        tokio::spawn(async move {
            job.live(&admission, place, time, work).await;
            if job.cancel.is_cancelled() {
                shelf.remove_if(&key, |_| true);
            } else {
                shelf.schedule(&key);
            }
        });
        Ok(id)
    }

    /// The job with this id. The error is the same for an id that never existed, was deleted or has expired.
    pub(in crate::server) fn get(&self, id: &Id) -> Result<Arc<Job>> {
        self.shelf.get(id)
    }

    /// Cancels the job if it has not finished, and deletes it.
    pub(in crate::server) fn delete(&self, id: &Id) -> Result<()> {
        let job = self.shelf.take(id)?;
        job.cancel.cancel();
        job.end(Err(Error::new(Code::Cancelled, "the job was cancelled")));
        Ok(())
    }

    /// Whether no finished job is waiting to be fetched.
    pub(in crate::server) fn all_settled(&self) -> bool {
        self.unfetched() == 0
    }

    /// The number of finished jobs that are waiting to be fetched.
    pub(in crate::server) fn unfetched(&self) -> usize {
        self.shelf.count(|job| !job.is_settled() && job.state.borrow().is_final())
    }
}

impl Job {
    /// Waits for its turn, works, and records the outcome.
    async fn live(
        &self,
        admission: &Admission,
        place: QueueSlot,
        time: Duration,
        work: impl FnOnce(&Supervision) -> Result<Outcome> + Send + 'static,
    ) {
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
        log(started.elapsed(), outcome.as_ref());
        self.end(outcome);
        drop(place);
    }

    fn end(&self, outcome: Result<Outcome>) {
        // Only the first end counts.
        if self.ended.set(Instant::now()).is_err() {
            // The outcome of a deleted job is dropped.
            return;
        }
        match outcome {
            Ok(outcome) => {
                let _ = self.result.set(Arc::new(outcome));
                self.advance(State::Done);
            }
            Err(error) => self.advance(State::Failed(error)),
        }
    }

    /// Moves to the next state. A final state does not change.
    fn advance(&self, next: State) {
        self.state.send_if_modified(|state| {
            let moves = !state.is_final();
            if moves {
                *state = next;
            }
            moves
        });
    }

    pub(in crate::server) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(in crate::server) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Waits until the state or the progress differs from the given one.
    pub(in crate::server) async fn news(&self, state: &State, progress: Progress) {
        let (mut states, mut steps) = (self.state.subscribe(), self.progress.subscribe());
        // The senders live as long as `self`, so neither wait can fail.
        tokio::select! {
            _ = states.wait_for(|now| now != state) => {}
            _ = steps.wait_for(|now| *now != progress) => {}
        }
    }

    /// The result, if finished.
    pub(in crate::server) fn result(&self) -> Result<Arc<Outcome>> {
        match self.state() {
            State::Done => self.result.get().cloned().ok_or_else(not_found),
            State::Failed(error) => Err(error),
            State::Waiting | State::Running => {
                let message = "the job has not finished; watch its events and try again";
                Err(Error::new(Code::JobNotFinished, message).with_retry_after(1))
            }
        }
    }

    /// Records that the client has the result, or knows that there is none.
    pub(in crate::server) fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }
}

/// Logs the end of a job's work.
fn log(time: Duration, outcome: Result<&Outcome, &Error>) {
    let (code, bytes) = match outcome {
        Ok(outcome) => ("ok", outcome.body.length()),
        Err(error) => (error.code(), 0),
    };
    tracing::info!(code, bytes, ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX), "job");
}

fn not_found() -> Error {
    Error::new(Code::JobNotFound, "the job does not exist, was deleted or has expired")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;

    use super::*;
    use crate::server::store::spool::Spools;
    use crate::watch::Watch;

    const MINUTE: Duration = Duration::from_mins(1);

    fn client(number: u8) -> Client {
        Client::new([127, 0, 0, number].into())
    }

    fn set_up(most: usize, keep: Duration) -> (Jobs, Arc<Admission>) {
        with_time(most, keep, MINUTE)
    }

    fn with_time(most: usize, keep: Duration, time: Duration) -> (Jobs, Arc<Admission>) {
        let mut limits = Limits { jobs: most, keep_results: keep, time, running: 1, waiting: 4, ..Limits::default() };
        limits.client.jobs = 2;
        (Jobs::new(&limits, CancellationToken::new()), Arc::new(Admission::new(&limits)))
    }

    fn letters(text: &[u8]) -> Result<Outcome> {
        let mut spool = Spools::new(std::env::temp_dir(), &Limits::default()).spool(client(1), 0)?;
        spool.write_all(text)?;
        Ok(Outcome { media_type: "text/plain", body: spool.finish()?, created: None })
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
        let id = jobs.start(&admission, client(1), place, |_| letters(b"result")).expect("started");
        assert_eq!(id.as_str().len(), 24);
        let job = jobs.get(&id).expect("there");
        assert_eq!(until(&job, State::is_final).await, State::Done);
        assert_eq!(job.result().expect("the result").body.length(), 6);
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
        assert_eq!(jobs.get(&id).err(), jobs.get(&Id::from("never was".to_owned())).err());
        assert!(jobs.check_room(client(1)).is_ok());
    }

    #[tokio::test]
    async fn deleting_stops_the_work_between_rows() {
        let (jobs, admission) = set_up(9, MINUTE);
        let (ended, end) = mpsc::channel();
        let place = admission.enter(client(1)).expect("room");
        let id = jobs
            .start(&admission, client(1), place, move |watch| {
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
            jobs.start(&admission, client(1), admission.enter(client(1))?, move |_| letters(text))
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
        let slow = |watch: &Supervision| loop {
            watch.check()?;
            std::thread::sleep(Duration::from_millis(1));
        };
        let panics = |_: &Supervision| panic!("on purpose");
        let (jobs, admission) = with_time(9, MINUTE, Duration::from_millis(20));
        let late = jobs.start(&admission, client(1), admission.enter(client(1)).expect("room"), slow).expect("started");
        let broken =
            jobs.start(&admission, client(1), admission.enter(client(1)).expect("room"), panics).expect("started");
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
            .start(&admission, client(1), admission.enter(client(1)).expect("room"), |_| letters(b"x"))
            .expect("started");
        assert_eq!(jobs.check_room(client(1)).err().map(|e| e.kind()), Some(Code::TooBusy));
        let refused = jobs.start(&admission, client(1), admission.enter(client(1)).expect("room"), |_| letters(b"x"));
        assert_eq!(refused.err().map(|e| e.kind()), Some(Code::TooBusy));
        jobs.delete(&id).expect("deleted");
        assert!(jobs.check_room(client(1)).is_ok());
    }

    #[tokio::test]
    async fn a_share_ends_before_the_room_and_what_was_fetched_makes_room() {
        let (jobs, admission) = set_up(3, MINUTE);
        let start = |number| {
            let place = admission.enter(client(number)).expect("room");
            jobs.start(&admission, client(number), place, |_| letters(b"x"))
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
