//! The request body, which arrives as asynchronous pieces, as a plain reader for a worker thread.
//!
//! A short channel lies between the two, so a worker that is busy slows the sender down and nothing piles up in memory.
//! The end of the upload is an explicit message: a connection that breaks can never look like the end of an image.

use std::io::{self, Read};
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::config::Limits;
use crate::error::{Code, Error, Result};

/// How many pieces (of up to 256 KiB each) wait between the network and the worker.
const PIECES: usize = 4;

/// What an upload must keep to.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Longest body in bytes.
    pub(super) most: u64,
    /// Longest time in which hardly anything arrives.
    pub(super) stall: Duration,
    /// When the upload must be over.
    pub(super) deadline: Instant,
}

enum Piece {
    Bytes(Bytes),
    Failed(Error),
    End,
}

/// Splits a body into a future that moves the bytes and the reader that gets them. Both must run at the same time.
///
/// The future ends with the error that ended the upload, if it was the upload that failed; it ends well when the reader
/// was dropped before the end. When the future is dropped, the reader gets `cancelled`.
pub(super) fn bridge(body: Body, rules: Rules) -> (impl Future<Output = Result<()>> + Send, UploadReader) {
    let (sender, pieces) = mpsc::channel(PIECES);
    (pump(body, rules, sender), UploadReader { pieces, current: Bytes::new(), ended: false })
}

/// Refuses a body whose announced length is over the limit, before anything is read.
pub(super) fn check_announced(headers: &HeaderMap, most: u64) -> Result<()> {
    let announced: Option<u64> = headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length| length > most) { Err(too_large(most)) } else { Ok(()) }
}

async fn pump(body: Body, rules: Rules, sender: mpsc::Sender<Piece>) -> Result<()> {
    let outcome = pump_pieces(body, rules, &sender).await;
    // A reader that has gone away already needs no message.
    let _ = match &outcome {
        Ok(()) => sender.send(Piece::End).await,
        Err(error) => sender.send(Piece::Failed(error.clone())).await,
    };
    outcome
}

async fn pump_pieces(body: Body, rules: Rules, sender: &mpsc::Sender<Piece>) -> Result<()> {
    let mut pieces = pin!(body.into_data_stream());
    let mut pace = Pace::new(rules.stall);
    let mut total = 0_u64;
    loop {
        let asked = Instant::now();
        let stalled = pace.give_up_at(asked);
        let until = stalled.min(rules.deadline);
        let piece = tokio::select! {
            piece = tokio::time::timeout_at(until, pieces.next()) => piece,
            // The worker has found a fault in what came so far: the client should hear of it now.
            () = sender.closed() => return Ok(()),
        };
        let piece = match piece {
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) => {
                return Err(Error::new(Code::Truncated, "the upload broke off before its end; send it again"));
            }
            Ok(None) => return Ok(()),
            Err(_) if rules.deadline < stalled => return Err(time_limit()),
            Err(_) => return Err(Error::new(Code::Stalled, "the upload came to a halt; send it again")),
        };
        pace.arrived(piece.len() as u64, asked.elapsed());
        total += piece.len() as u64;
        if total > rules.most {
            return Err(too_large(rules.most));
        }
        if sender.send(Piece::Bytes(piece)).await.is_err() {
            return Ok(());
        }
    }
}

/// Watches the speed of an upload, counting only the time in which the server waited for it.
struct Pace {
    stall: Duration,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    fn new(stall: Duration) -> Self {
        Self { stall, waited: Duration::ZERO, bytes: 0 }
    }

    fn give_up_at(&self, now: Instant) -> Instant {
        now + self.stall.saturating_sub(self.waited)
    }

    fn arrived(&mut self, bytes: u64, waited: Duration) {
        self.bytes += bytes;
        self.waited += waited;
        // Whole seconds rounded up: a short stall time in tests asks for at least one second's bytes.
        if self.bytes >= Limits::SLOWEST_UPLOAD * self.stall.as_secs().max(1) {
            *self = Self::new(self.stall);
        }
    }
}

/// The upload as a reader for a worker thread. Must not be read on an asynchronous thread.
pub(super) struct UploadReader {
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    ended: bool,
}

impl UploadReader {
    /// The pieces as they come, for a reader that is asynchronous itself.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes>> {
        stream::unfold(self.pieces, |mut pieces| async {
            match pieces.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), pieces)),
                Some(Piece::End) => None,
                Some(Piece::Failed(error)) => Some((Err(error), pieces)),
                None => Some((Err(went_away()), pieces)),
            }
        })
    }
}

impl Read for UploadReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.current.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.current = bytes,
                Some(Piece::End) => self.ended = true,
                Some(Piece::Failed(error)) => return Err(error.into()),
                None => return Err(went_away().into()),
            }
        }
        let got = self.current.len().min(buffer.len());
        buffer[..got].copy_from_slice(&self.current.split_to(got));
        Ok(got)
    }
}

fn went_away() -> Error {
    Error::new(Code::Cancelled, "the client went away")
}

pub(super) fn time_limit() -> Error {
    Error::new(Code::TimeLimit, "this took longer than the server allows; send a smaller image or use a faster line")
}

fn too_large(most: u64) -> Error {
    Error::new(Code::TooLarge, format!("the request is larger than the {most} bytes that this server takes"))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn rules() -> Rules {
        Rules { most: 100, stall: Duration::from_secs(5), deadline: Instant::now() + Duration::from_mins(1) }
    }

    /// Reads a whole upload in a worker thread.
    async fn read(body: Body, rules: Rules) -> (Result<()>, Result<Vec<u8>>) {
        let (pump, mut reader) = bridge(body, rules);
        let worker = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map(|_| bytes).map_err(Error::from)
        });
        let (pumped, read) = tokio::join!(pump, worker);
        (pumped, read.expect("the worker does not panic"))
    }

    fn trickle(pieces: usize, gap: Duration) -> Body {
        Body::from_stream(stream::unfold(0, move |i| async move {
            tokio::time::sleep(gap).await;
            (i < pieces).then_some((Ok::<_, io::Error>(Bytes::from_static(b"x")), i + 1))
        }))
    }

    #[tokio::test]
    async fn bytes_arrive_in_order_and_the_end_is_the_end() {
        let pieces = [&b"one "[..], b"", b"two ", b"three"].map(|piece| Ok::<_, io::Error>(Bytes::from_static(piece)));
        let (pumped, read) = read(Body::from_stream(stream::iter(pieces)), rules()).await;
        assert_eq!(pumped, Ok(()));
        assert_eq!(read.expect("all of it"), b"one two three");
    }

    #[tokio::test]
    async fn too_long_broken_and_slow_uploads_fail_with_their_codes() {
        let code = |outcome: (Result<()>, Result<Vec<u8>>)| {
            let pumped = outcome.0.expect_err("the upload fails").kind();
            assert_eq!(outcome.1.expect_err("the reader learns of it").kind(), pumped);
            pumped
        };
        assert_eq!(code(read(Body::from(vec![0; 101]), rules()).await), Code::TooLarge);

        let broken = [Ok(Bytes::from_static(b"half")), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
        assert_eq!(code(read(Body::from_stream(stream::iter(broken)), rules()).await), Code::Truncated);

        let stall = Rules { stall: Duration::from_millis(50), ..rules() };
        assert_eq!(code(read(trickle(1, Duration::from_secs(9)), stall).await), Code::Stalled);
        // A drop now and then does not keep an upload alive.
        assert_eq!(code(read(trickle(50, Duration::from_millis(10)), stall).await), Code::Stalled);

        let deadline = Rules { deadline: Instant::now() + Duration::from_millis(50), ..rules() };
        assert_eq!(code(read(trickle(50, Duration::from_millis(20)), deadline).await), Code::TimeLimit);
    }

    #[tokio::test]
    async fn whoever_stays_learns_that_the_other_one_left() {
        let (pump, mut reader) = bridge(Body::from("never sent"), rules());
        drop(pump);
        let read = tokio::task::spawn_blocking(move || reader.read(&mut [0; 10])).await.expect("no panic");
        assert_eq!(Error::from(read.expect_err("not an end")).kind(), Code::Cancelled);

        let (pump, reader) = bridge(Body::from("never read"), rules());
        drop(reader);
        assert_eq!(pump.await, Ok(()));
    }
}
