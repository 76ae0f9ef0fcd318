//! A conversation with a server, step by step.
//!
//! The protocol of each operation is an `async` function that reads from top to bottom. Nothing in it waits for anything but
//! the driver: where the function needs an answer, the conversation hands out a [`Step`] and stands still until it is told
//! what came of it.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::request::{Answer, Body, Request};
use crate::error::{Code, Error, Result};

/// What the driver is to do next.
pub enum Step<T> {
    /// Exchange this request, then call [`Conversation::answer`].
    Exchange(Request),
    /// Wait this long, then call [`Conversation::step`] again.
    Pause(Duration),
    /// The end.
    Done(Result<T>),
}

/// What a conversation is doing, as far as users want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The input is being sent.
    Upload,
    /// The server works, or the work waits for its turn.
    Work,
    /// The output is being received.
    Download,
}

/// How far a phase is; `total` is 0 if that is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// Bytes, or whatever the work counts.
    pub done: u64,
    /// All of them, or 0.
    pub total: u64,
}

/// An operation on a server, in progress.
#[must_use = "it does nothing unless a driver goes through its steps"]
pub struct Conversation<T> {
    work: Pin<Box<dyn Future<Output = Result<T>>>>,
    line: Line,
}

/// The work's end of the line to the driver.
#[derive(Clone)]
pub(super) struct Line(Rc<RefCell<State>>);

struct State {
    asked: Option<Question>,
    answer: Option<Result<Answer>>,
    cancelled: bool,
    progress: Progress,
    /// The length of the input in bytes.
    input: u64,
    /// Where in the input the body of the current request starts.
    start: u64,
}

enum Question {
    Exchange(Request),
    Pause(Duration),
}

impl<T> Conversation<T> {
    /// A conversation about `input` bytes. `work` is its protocol.
    pub(super) fn new<W: Future<Output = Result<T>> + 'static>(input: u64, work: impl FnOnce(Line) -> W) -> Self {
        let progress = Progress { phase: Phase::Upload, done: 0, total: input };
        let state = State { asked: None, answer: None, cancelled: false, progress, input, start: 0 };
        let line = Line(Rc::new(RefCell::new(state)));
        Self { work: Box::pin(work(line.clone())), line }
    }

    /// The same conversation with another form of its outcome.
    pub fn map<U: 'static>(self, form: impl FnOnce(T) -> U + 'static) -> Conversation<U>
    where
        T: 'static,
    {
        let Self { work, line } = self;
        Conversation { work: Box::pin(async move { work.await.map(form) }), line }
    }

    /// Goes on until the driver is needed. Not to be called again after [`Step::Done`].
    pub fn step(&mut self) -> Step<T> {
        match self.work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Step::Done(outcome),
            Poll::Pending => match self.line.0.borrow_mut().asked.take() {
                Some(Question::Exchange(request)) => Step::Exchange(request),
                Some(Question::Pause(time)) => Step::Pause(time),
                None => Step::Done(Err(Error::new(Code::Internal, "a conversation waits for nothing"))),
            },
        }
    }

    /// Tells what came of the request: the answer, or why there is none. ([`Code::Unreachable`] if the connection failed.)
    pub fn answer(&mut self, answer: Result<Answer>) {
        self.line.0.borrow_mut().answer = Some(answer);
    }

    /// Ends the conversation as soon as possible: the driver goes on with [`Conversation::step`], and the work asks for nothing
    /// more than to clear up what it has started.
    pub fn cancel(&mut self) {
        self.line.0.borrow_mut().cancelled = true;
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.line.0.borrow().progress
    }

    /// Notes that this many bytes of the current request's body are sent.
    pub fn sent(&mut self, bytes: u64) {
        let mut state = self.line.0.borrow_mut();
        let done = state.start + bytes;
        let total = state.input;
        state.progress = if done < total {
            Progress { phase: Phase::Upload, done, total }
        } else {
            Progress { phase: Phase::Work, done: 0, total: 0 }
        };
    }

    /// Notes that this many bytes of the output are received, of `total`, which is 0 if that is unknown.
    pub fn received(&mut self, bytes: u64, total: u64) {
        self.line.0.borrow_mut().progress = Progress { phase: Phase::Download, done: bytes, total };
    }
}

impl Line {
    /// Exchanges a request for its answer, whatever its status.
    ///
    /// # Errors
    /// Those of the driver, such as [`Code::Unreachable`]; [`Code::Cancelled`] after [`Conversation::cancel`].
    pub(super) async fn exchange(&self, request: Request) -> Result<Answer> {
        {
            let mut state = self.0.borrow_mut();
            if state.cancelled && !request.farewell {
                return Err(cancelled());
            }
            if let Body::Input(range) = &request.body {
                state.start = range.start;
            }
            state.asked = Some(Question::Exchange(request));
        }
        poll_fn(|_| self.0.borrow_mut().answer.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// The same for a request that must be answered with this status.
    ///
    /// # Errors
    /// Also the server's own, if the answer has another status.
    pub(super) async fn expect(&self, status: u16, request: Request) -> Result<Answer> {
        let answer = self.exchange(request).await?;
        if answer.status == status { Ok(answer) } else { Err(answer.refusal()) }
    }

    /// Waits.
    ///
    /// # Errors
    /// [`Code::Cancelled`] after [`Conversation::cancel`].
    pub(super) async fn pause(&self, time: Duration) -> Result<()> {
        let mut asked = false;
        poll_fn(|_| {
            let mut state = self.0.borrow_mut();
            if state.cancelled {
                return Poll::Ready(Err(cancelled()));
            }
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(Ok(()));
            }
            state.asked = Some(Question::Pause(time));
            Poll::Pending
        })
        .await
    }

    /// Deletes something that the server need not keep; failures do not matter.
    pub(super) async fn farewell(&self, path: String) {
        let _ = self.exchange(Request::farewell(path)).await;
    }

    pub(super) fn report(&self, phase: Phase, done: u64, total: u64) {
        self.0.borrow_mut().progress = Progress { phase, done, total };
    }

    /// The length of the input in bytes.
    pub(super) fn input(&self) -> u64 {
        self.0.borrow().input
    }
}

fn cancelled() -> Error {
    Error::new(Code::Cancelled, "the work was cancelled")
}
