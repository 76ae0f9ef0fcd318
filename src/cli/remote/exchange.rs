//! One HTTP request and its answer.
//!
//! Each request runs in a thread of its own that hands its answer over piece by piece, so that Ctrl-C is noticed while
//! nothing arrives from the network. Only a few pieces are in memory at a time.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::http::{HeaderName, Response, header, request};
use ureq::{Agent, Body, SendBody};

use super::plain;
use super::way::{ProxyFailure, Via};
use crate::cli::ui::Bar;
use crate::error::{Code, Error, Result};
use crate::remote::Answer;
use crate::watch::Watch as _;

/// How often a wait checks for Ctrl-C.
pub(super) const BLINK: Duration = Duration::from_millis(100);
/// The length of a piece, in bytes.
const PIECE: usize = 1 << 16;

/// A server, and the proxy on the way to it.
#[derive(Clone)]
pub(super) struct Peer {
    /// The server's scheme, host and port, as they may be shown.
    pub(super) origin: String,
    /// The proxy on the way.
    pub(super) via: Option<Via>,
}

/// A request in progress.
pub(super) struct Exchange {
    pieces: Receiver<Piece>,
    head: Head,
}

/// The relevant parts of an answer before its body.
#[derive(Default)]
struct Head {
    answer: Answer,
    length: Option<u64>,
}

/// A piece from the thread. The order is one head, then bytes until the end.
enum Piece {
    Head(Head),
    Bytes(Vec<u8>),
    End,
    Failed(Error),
}

impl Exchange {
    /// Starts a request. `peer` is named in errors.
    pub(super) fn start(agent: &Agent, request: request::Builder, body: Option<Watched>, peer: &Peer) -> Self {
        let (sender, pieces) = sync_channel(4);
        let agent = agent.clone();
        let peer = peer.clone();
        let exchange = Self { pieces, head: Head::default() };
        std::thread::spawn(move || {
            let body = body.map_or_else(SendBody::none, SendBody::from_owned_reader);
            let response = request.body(body).map_err(ureq::Error::Http).and_then(|request| agent.run(request));
            match response {
                Ok(response) => relay(response, &peer, &sender),
                // Sending fails only if no one listens any more. The same applies in `relay`.
                Err(error) => _ = sender.send(Piece::Failed(from_ureq(&error, &peer))),
            }
        });
        exchange
    }

    /// Waits for the answer's head.
    pub(super) fn wait(&mut self, bar: &Bar) -> Result<()> {
        if let Piece::Head(head) = self.piece(bar)? {
            self.head = head;
        }
        Ok(())
    }

    /// Waits for the answer's head for at most `time`; returns whether it came.
    pub(super) fn wait_at_most(&mut self, time: Duration) -> bool {
        if let Ok(Piece::Head(head)) = self.pieces.recv_timeout(time) {
            self.head = head;
            return true;
        }
        false
    }

    /// The answer, without its body; status 0 before the head has come.
    pub(super) fn answer(&self) -> Answer {
        self.head.answer.clone()
    }

    /// The length of the body in bytes, if the server gives it.
    pub(super) fn length(&self) -> Option<u64> {
        self.head.length
    }

    /// The next bytes of the body, or `None` at its end.
    pub(super) fn next(&mut self, bar: &Bar) -> Result<Option<Vec<u8>>> {
        match self.piece(bar)? {
            Piece::Bytes(bytes) => Ok(Some(bytes)),
            _ => Ok(None),
        }
    }

    fn piece(&self, bar: &Bar) -> Result<Piece> {
        loop {
            bar.check()?;
            match self.pieces.recv_timeout(BLINK) {
                Ok(Piece::Failed(error)) => return Err(error),
                Ok(piece) => return Ok(piece),
                Err(RecvTimeoutError::Timeout) => bar.tick(),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(Code::Internal, "the thread of a request ended without an answer"));
                }
            }
        }
    }
}

/// Hands an answer over until its end or until no one listens.
fn relay(response: Response<Body>, peer: &Peer, sender: &SyncSender<Piece>) {
    let text = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
    let number = |name| text(name).and_then(|number| number.trim().parse().ok());
    let answer = Answer {
        status: response.status().as_u16(),
        location: text(header::LOCATION).map(str::to_owned),
        offset: number(HeaderName::from_static("upload-offset")),
        retry_after: number(header::RETRY_AFTER).and_then(|seconds| seconds.try_into().ok()),
        body: Vec::new(),
    };
    let head = Head { answer, length: number(header::CONTENT_LENGTH) };
    if sender.send(Piece::Head(head)).is_err() {
        return;
    }
    let mut reader = response.into_body().into_reader();
    loop {
        let mut bytes = vec![0; PIECE];
        let piece = match reader.read(&mut bytes) {
            Ok(0) => Piece::End,
            Ok(count) => {
                bytes.truncate(count);
                Piece::Bytes(bytes)
            }
            Err(error) => Piece::Failed(broken(peer, &plain::io_reason(&error))),
        };
        let last = !matches!(piece, Piece::Bytes(_));
        if sender.send(piece).is_err() || last {
            return;
        }
    }
}

fn from_ureq(error: &ureq::Error, peer: &Peer) -> Error {
    match error {
        ureq::Error::Io(inner) => match inner.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            // An error from reading the upload, including Ctrl-C, is returned unchanged.
            Some(own) => own.clone(),
            None => match inner.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(error) => no_tls(peer, error),
                None => broken(peer, &plain::io_reason(inner)),
            },
        },
        ureq::Error::Rustls(error) => no_tls(peer, error),
        ureq::Error::Other(other) if let Some(failure) = other.downcast_ref() => no_proxy(peer, failure),
        ureq::Error::Protocol(_) => {
            let origin = &peer.origin;
            Error::new(
                Code::BadAnswer,
                format!(
                    "the answer from {origin} is not valid HTTP; check the address (http:// or https://) and the port"
                ),
            )
        }
        error => broken(peer, &plain::reason(error)),
    }
}

fn broken(peer: &Peer, error: &str) -> Error {
    let through = peer.via.as_ref().map_or_else(String::new, |via| format!(" through the proxy at {via}"));
    Error::new(
        Code::Unreachable,
        format!(
            "the server at {} cannot be reached{through} or broke the connection: {error}; check the address and try \
             again",
            peer.origin
        ),
    )
}

fn no_proxy(peer: &Peer, failure: &ProxyFailure) -> Error {
    let via = peer.via.as_ref().map_or_else(String::new, ToString::to_string);
    let message = if failure.reached {
        format!(
            "the proxy at {via} did not connect to {}: {failure}; check the address, or use another proxy",
            peer.origin
        )
    } else {
        format!("the proxy at {via} cannot be reached: {failure}; start it, or use another one")
    };
    Error::new(Code::Unreachable, message)
}

/// The error for a certificate that is not accepted, most often one from a private authority.
fn no_tls(peer: &Peer, error: &rustls::Error) -> Error {
    use rustls::CertificateError::UnknownIssuer;
    let origin = &peer.origin;
    let message = match error {
        rustls::Error::InvalidCertificate(UnknownIssuer) => format!(
            "the certificate of {origin} was issued by an authority that is not trusted; if it is your own, name its \
             certificate with --ca-file or SSL_CERT_FILE"
        ),
        error => {
            let reason = plain::tls_reason(error);
            format!("no secure connection to {origin}: {reason}; check the address and the server's certificate")
        }
    };
    Error::new(Code::Unreachable, message)
}

/// An upload's body: counts what is sent and stops when the user interrupts.
pub(super) struct Watched {
    pub(super) body: Box<dyn Read + Send>,
    pub(super) sent: u64,
    pub(super) length: u64,
    pub(super) bar: Bar,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.bar.check()?;
        // Our own error is wrapped in an I/O error, from which `from_ureq` takes it.
        let count = self.body.read(buffer).map_err(|error| std::io::Error::from(Error::from(error)))?;
        self.sent += count as u64;
        self.bar.progress(self.sent, self.length);
        Ok(count)
    }
}
