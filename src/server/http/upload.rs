//! The request body: checked from its first bytes, and stored piece by piece while it arrives.
//!
//! Only one piece is in memory, and no thread waits for the network: a worker thread is borrowed for each piece. So a slow
//! upload only costs a slot. An interrupted body never looks like a complete one.

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use tokio::time::Instant;

use crate::error::{Code, Error, Result};
use crate::server::config::Limits;
use crate::server::queue::work::{joined, time_limit};
use crate::server::store::spool::{Spool, Stored};

/// The rules for an upload.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Longest body in bytes.
    pub(super) most: u64,
    /// The announced length, if any.
    pub(super) announced: Option<u64>,
    /// The time over which the speed is measured.
    pub(super) stall: Duration,
    /// When the upload must be over.
    pub(super) deadline: Instant,
    /// Whether its header declares a form of names and values, as with `curl -d`.
    pub(super) urlencoded: bool,
}

impl Rules {
    /// The rules for a body of at most `most` bytes.
    ///
    /// # Errors
    /// [`Code::TooLarge`] if more was announced; nothing needs to be read then.
    pub(super) fn new(headers: &HeaderMap, most: u64, limits: &Limits) -> Result<Self> {
        let announced: Option<u64> =
            headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length| length > most) {
            return Err(too_large(most));
        }
        let urlencoded = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded"));
        let deadline = Instant::now() + Limits::LONGEST_TRANSFER;
        Ok(Self { most, announced, stall: limits.stall, deadline, urlencoded })
    }
}

/// The destination of an upload's pieces.
pub(super) trait Sink: Send + 'static {
    /// Takes the next piece. Called on a worker thread. An error ends the upload.
    fn take(&mut self, piece: &[u8]) -> Result<()>;
}

/// Checks an upload as it arrives, and ends it as soon as it is invalid.
pub(super) trait Check: Send + 'static {
    /// Checks the next bytes.
    fn push(&mut self, bytes: &[u8]) -> Result<()>;
}

/// Writes an upload that passes a check to a spool.
pub(super) struct Checked<C> {
    pub(super) check: C,
    pub(super) spool: Spool,
}

impl<C: Check> Sink for Checked<C> {
    fn take(&mut self, piece: &[u8]) -> Result<()> {
        self.check.push(piece)?;
        Ok(self.spool.write_all(piece)?)
    }
}

impl<C> Checked<C> {
    pub(super) fn finish(self) -> Result<Stored> {
        self.spool.finish()
    }
}

/// Moves a whole body into a sink, and returns the sink.
///
/// # Errors
/// [`Code::TooLarge`], [`Code::Stalled`], [`Code::TimeLimit`]; [`Code::Truncated`] if the connection broke; errors of the sink.
pub(super) async fn receive<S: Sink>(body: Body, rules: Rules, mut sink: S) -> Result<S> {
    let mut pieces = pin!(body.into_data_stream());
    let mut pace = Pace::new(rules.stall);
    let mut total = 0_u64;
    loop {
        let asked = Instant::now();
        let stalled = pace.give_up_at(asked);
        let piece: Bytes = match tokio::time::timeout_at(stalled.min(rules.deadline), pieces.next()).await {
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) => {
                return Err(Error::new(Code::Truncated, "the upload was interrupted; send it again"));
            }
            Ok(None) => return Ok(sink),
            Err(_) if rules.deadline < stalled => return Err(time_limit()),
            Err(_) => {
                return Err(Error::new(Code::Stalled, "the upload stalled or was too slow; send it again"));
            }
        };
        total += piece.len() as u64;
        if total > rules.most {
            return Err(too_large(rules.most));
        }
        let length = rules.announced.unwrap_or_default().max(total);
        pace.arrived(piece.len() as u64, asked.elapsed(), Limits::slowest(length));
        let taken = tokio::task::spawn_blocking(move || sink.take(&piece).map(|()| sink));
        sink = joined(taken.await).map_err(|error| if rules.urlencoded { changed(error) } else { error })?;
    }
}

/// Measures the speed of an upload, counting only the time that the server waited for it.
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

    /// `slowest` is the minimum speed of the upload, in bytes per second.
    fn arrived(&mut self, bytes: u64, waited: Duration, slowest: u64) {
        self.bytes += bytes;
        self.waited += waited;
        // At least one second, because tests have a short stall time.
        if self.bytes >= slowest * self.stall.as_secs().max(1) {
            *self = Self::new(self.stall);
        }
    }
}

/// Refuses bodies with an encoding that this server does not support, and explains how to send the file itself. `forms` is
/// whether the address accepts forms.
///
/// # Errors
/// [`Code::UnsupportedContent`].
pub(super) fn check_content(headers: &HeaderMap, forms: bool) -> Result<()> {
    let text = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.to_str().unwrap_or("unknown"));
    if let Some(coding) =
        text(header::CONTENT_ENCODING).filter(|coding| !coding.trim().eq_ignore_ascii_case("identity"))
    {
        let coding: String =
            coding.chars().filter(|c| c.is_ascii_alphanumeric() || "-, ".contains(*c)).take(40).collect();
        let message = format!(
            "the body is compressed (Content-Encoding: {coding}), which this server does not support; send the file \
             uncompressed and without that header field, as in: curl --data-binary @photo.slt URL"
        );
        return Err(Error::new(Code::UnsupportedContent, message));
    }
    let form = |content: &str| content.trim_start().to_ascii_lowercase().starts_with("multipart/");
    if !forms && text(header::CONTENT_TYPE).is_some_and(form) {
        let message = "the body is a form (Content-Type: multipart/form-data), as curl -F sends it, but only the \
                       bytes of the file are needed; send them as in: curl --data-binary @photo.slt URL";
        return Err(Error::new(Code::UnsupportedContent, message));
    }
    Ok(())
}

/// Extends the error for a body that is declared as a form of names and values: most likely, `curl -d` removed line
/// breaks.
fn changed(error: Error) -> Error {
    if !matches!(error.kind(), Code::NotSafelight | Code::UnsupportedImage | Code::Damaged | Code::BadHeader) {
        return error;
    }
    let message =
        format!("{}; curl -d changes files, so send this one with: curl --data-binary @FILE URL", error.message());
    Error::new(error.kind(), message)
}

fn too_large(most: u64) -> Error {
    Error::new(Code::TooLarge, format!("the request is larger than this server's limit of {most} bytes"))
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::stream;

    use super::*;

    impl Sink for Vec<u8> {
        fn take(&mut self, piece: &[u8]) -> Result<()> {
            if piece == b"bad" {
                return Err(Error::new(Code::Damaged, "a bad piece"));
            }
            self.extend(piece);
            Ok(())
        }
    }

    fn rules() -> Rules {
        let deadline = Instant::now() + Duration::from_mins(1);
        Rules { most: 100, announced: None, stall: Duration::from_secs(5), deadline, urlencoded: false }
    }

    async fn read(body: Body, rules: Rules) -> Result<Vec<u8>> {
        receive(body, rules, Vec::new()).await
    }

    fn trickle(pieces: usize, gap: Duration) -> Body {
        Body::from_stream(stream::unfold(0, move |i| async move {
            tokio::time::sleep(gap).await;
            (i < pieces).then_some((Ok::<_, io::Error>(Bytes::from_static(b"x")), i + 1))
        }))
    }

    fn of_pieces(pieces: &[&'static [u8]]) -> Body {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok::<_, io::Error>(Bytes::from_static(piece))).collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn bytes_arrive_in_order_and_the_end_is_the_end() {
        let read = read(of_pieces(&[b"one ", b"", b"two ", b"three"]), rules()).await;
        assert_eq!(read.expect("all of it"), b"one two three");
    }

    #[tokio::test]
    async fn too_long_broken_slow_and_bad_uploads_fail_with_their_codes() {
        let code = |outcome: Result<Vec<u8>>| outcome.expect_err("the upload fails").kind();
        assert_eq!(code(read(Body::from(vec![0; 101]), rules()).await), Code::TooLarge);
        assert_eq!(code(read(of_pieces(&[b"good", b"bad", b"good"]), rules()).await), Code::Damaged);

        let broken = [Ok(Bytes::from_static(b"half")), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
        assert_eq!(code(read(Body::from_stream(stream::iter(broken)), rules()).await), Code::Truncated);

        let stall = Rules { stall: Duration::from_millis(50), ..rules() };
        assert_eq!(code(read(trickle(1, Duration::from_secs(9)), stall).await), Code::Stalled);
        // A few bytes now and then do not keep an upload alive.
        assert_eq!(code(read(trickle(50, Duration::from_millis(10)), stall).await), Code::Stalled);

        let deadline = Rules { deadline: Instant::now() + Duration::from_millis(50), ..rules() };
        assert_eq!(code(read(trickle(50, Duration::from_millis(20)), deadline).await), Code::TimeLimit);
    }

    #[test]
    fn the_longer_an_upload_the_faster_it_must_be() {
        let mut pace = Pace::new(Duration::from_secs(10));
        let slow = |pace: &mut Pace, length| {
            pace.arrived(20_000, Duration::from_secs(9), Limits::slowest(length));
            pace.waited
        };
        assert_eq!(slow(&mut pace, 1 << 20), Duration::ZERO, "fast enough for a short one");
        assert_eq!(slow(&mut pace, 1 << 40), Duration::from_secs(9), "too slow for a long one");
    }

    #[test]
    fn packed_bodies_are_refused_with_the_reason() {
        let check = |name: header::HeaderName, value: &'static str, forms| {
            let headers = HeaderMap::from_iter([(name, axum::http::HeaderValue::from_static(value))]);
            check_content(&headers, forms).map_err(|error| (error.kind(), error.message().to_owned()))
        };
        let (code, message) = check(header::CONTENT_ENCODING, "gzip", true).expect_err("packed");
        assert!(code == Code::UnsupportedContent && message.contains("gzip") && message.contains("--data-binary"));
        let form = "Multipart/Form-Data; boundary=x";
        let (code, message) = check(header::CONTENT_TYPE, form, false).expect_err("a form");
        assert!(code == Code::UnsupportedContent && message.contains("curl -F") && message.contains("--data-binary"));
        assert!(check(header::CONTENT_TYPE, form, true).is_ok());
        assert!(check(header::CONTENT_TYPE, "application/x-www-form-urlencoded", false).is_ok(), "what curl says");
        assert!(check(header::CONTENT_ENCODING, "identity", false).is_ok());
    }
}
