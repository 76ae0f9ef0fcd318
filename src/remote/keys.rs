//! Evaluation keys, which can take gigabytes: sent in pieces; an upload goes on where it broke off. The header fields are those
//! of draft-ietf-httpbis-resumable-upload.

use super::conversation::{Conversation, Line, Phase};
use super::jobs::{Tries, place};
use super::request::{Body, Request};
use crate::error::{Code, Error, Result};

/// The longest piece in bytes: what drivers may have to hold in memory.
const PIECE: u64 = 1 << 26;
/// Errors that may pass. (A server answers `cancelled` when another request has taken over the upload.)
const AGAIN: [Code; 6] =
    [Code::Unreachable, Code::WrongOffset, Code::Stalled, Code::TooBusy, Code::QuotaExceeded, Code::Cancelled];

/// Sends a set of evaluation keys, the input, of `length` bytes. Returns the path of the set, `v1/keys/{id}`: anyone who knows
/// it can use and delete the keys.
///
/// # Errors
/// Those of the server and of the connection; then the server keeps nothing.
pub fn send_keys(length: u64) -> Conversation<String> {
    Conversation::new(length, |line| async move {
        let begin = Request::new("POST", "v1/keys".into()).header("Upload-Length", length.to_string());
        let path = place(&line.expect(201, begin).await?, "keys")?;
        match send(&line, &path).await {
            Ok(()) => Ok(path),
            Err(error) => {
                line.farewell(path).await;
                Err(error)
            }
        }
    })
}

async fn send(line: &Line, path: &str) -> Result<()> {
    let (mut offset, mut tries) = (0, Tries::default());
    while offset < line.input() {
        let end = line.input().min(offset + PIECE);
        let piece = Request::new("PATCH", path.to_owned())
            .header("Upload-Offset", offset.to_string())
            .body("application/partial-upload", Body::Input(offset..end));
        match line.expect(200, piece).await {
            Ok(_) => (offset, tries) = (end, Tries::default()),
            Err(error) => resume(line, path, &mut offset, &mut tries, error).await?,
        }
        line.report(Phase::Upload, offset, line.input());
    }
    Ok(())
}

/// Pauses after a failure, then moves `offset` to the number of bytes that the server has.
async fn resume(line: &Line, path: &str, offset: &mut u64, tries: &mut Tries, mut error: Error) -> Result<()> {
    loop {
        tries.again(line, error, &AGAIN).await?;
        match arrived(line, path).await {
            // What was acknowledged is not held any more.
            Ok(there) if !(*offset..=line.input()).contains(&there) => {
                return Err(Error::new(Code::BadAnswer, "the server has lost part of the keys"));
            }
            Ok(there) => {
                if there > *offset {
                    (*offset, *tries) = (there, Tries::default());
                }
                return Ok(());
            }
            Err(next) => error = next,
        }
    }
}

/// The number of bytes that the server has.
async fn arrived(line: &Line, path: &str) -> Result<u64> {
    let answer = line.expect(200, Request::new("HEAD", path.to_owned())).await?;
    answer.offset.ok_or_else(|| Error::new(Code::BadAnswer, "the server does not say how many bytes it has received"))
}
