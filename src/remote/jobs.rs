//! Work that the server does: at once, or as a job whose end is awaited.

use std::time::Duration;

use super::conversation::{Line, Phase};
use super::request::{Answer, Keep, Request, quote};
use crate::api::{JobState, JobStatus};
use crate::error::{Code, Error, Result};

/// The first and the longest pause between two questions for a job's state.
const POLL: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// Sends work, in whichever form the server answers it, and returns its result.
///
/// # Errors
/// Those of the work, and of the connection.
pub(super) async fn work(line: &Line, request: Request) -> Result<Answer> {
    let keep = request.keep;
    let answer = line.exchange(request.header("Prefer", "respond-async")).await?;
    match answer.status {
        200 | 201 => Ok(answer),
        202 => {
            let job = place(&answer, "jobs")?;
            let outcome = result(line, &job, keep).await;
            // Fetched, failed or cancelled: in any case, the server need not keep it.
            line.farewell(job).await;
            outcome
        }
        _ => Err(answer.refusal()),
    }
}

/// Waits for a job's end and fetches its result.
async fn result(line: &Line, job: &str, keep: Keep) -> Result<Answer> {
    let mut tries = Tries::default();
    let mut pause = POLL[0];
    line.report(Phase::Work, 0, 0);
    loop {
        match line.expect(200, Request::new("GET", job.to_owned())).await {
            Ok(answer) => {
                tries = Tries::default();
                let status: JobStatus = answer.json("the job's state")?;
                match status.state {
                    JobState::Done => break,
                    JobState::Failed => return Err(status.error.unwrap_or_default().into_error("the job failed")),
                    _ => line.report(Phase::Work, status.done, status.total),
                }
                line.pause(pause).await?;
                pause = (pause * 3 / 2).min(POLL[1]);
            }
            // The work goes on while the connection is broken.
            Err(error) => tries.again(line, error, &[Code::Unreachable]).await?,
        }
    }
    if keep.is_output(200) {
        line.report(Phase::Download, 0, 0);
    }
    line.expect(200, Request::new("GET", format!("{job}/result")).keep(keep)).await
}

/// How often something was tried in vain, one time after the other.
#[derive(Default)]
pub(super) struct Tries(u32);

impl Tries {
    /// How often to try again. With the pauses in between, this takes a minute.
    const MOST: u32 = 8;
    const PAUSE: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(15)];

    /// Pauses after an error of one of these kinds, so that it can be tried again.
    ///
    /// # Errors
    /// The error if it is of another kind, or after too many tries; [`Code::Cancelled`].
    pub(super) async fn again(&mut self, line: &Line, error: Error, kinds: &[Code]) -> Result<()> {
        if self.0 == Self::MOST || !kinds.contains(&error.kind()) {
            return Err(error);
        }
        let pause = Self::PAUSE[0] * (1 << self.0);
        self.0 += 1;
        line.pause(pause.min(Self::PAUSE[1])).await
    }
}

/// The path of what the server has made in one of its folders. Only the id is taken from what it sent: nothing is sent to
/// another server, and a server below a path of its own need not know that path.
///
/// # Errors
/// [`Code::BadAnswer`] if the answer does not have the address of such a thing.
pub(super) fn place(answer: &Answer, folder: &str) -> Result<String> {
    let bad = |what: &str| Error::new(Code::BadAnswer, format!("the server {what}; is it a Safelight server?"));
    let location = answer.location.as_deref().ok_or_else(|| bad("did not say where the result will be"))?;
    let (before, id) = location.rsplit_once('/').unwrap_or(("", location));
    let known = before.strip_suffix(folder).and_then(|before| before.strip_suffix("v1/"));
    // An absolute path, or an address: which server it names does not matter.
    let absolute = known.is_some_and(|before| before.ends_with('/'));
    if absolute && !id.is_empty() && id.len() <= LONGEST_ID && quote(id) == id {
        Ok(format!("v1/{folder}/{id}"))
    } else {
        Err(bad("sent an address for the result that is not valid"))
    }
}

/// The longest id, in bytes.
const LONGEST_ID: usize = 200;
