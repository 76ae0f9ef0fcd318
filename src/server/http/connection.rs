//! Connections: limited in number, with limited patience for slow clients.
//!
//! - A client has [`HEADER_TIME`] for a request's header and between two requests.
//! - If there is no room, the connection that has been idle longest is closed; each client has its own limit ([`seats`]).
//! - A client that receives nothing of its answer for the stall time is disconnected, so that it cannot hold a result for ever.
//! - A refused upload is often still arriving when the answer is sent. Closing at once would make the client's system discard
//!   the answer, so the rest is read and dropped for a while.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep};
use tower::ServiceExt as _;

use self::seats::{Answering, Seats};
use super::body;
use super::client::Peer;
use super::problem::after_upload;
use crate::error::{Code, Error};
use crate::server::client::Client;
use crate::server::config::{Limits, Proxies};

mod seats;

/// Time for a request's header, and for an open connection between two requests.
const HEADER_TIME: Duration = Duration::from_secs(30);
/// Largest request header, address included. A 15x15 kernel in the query needs about 2 KiB.
const HEADER_BYTES: usize = 32 << 10;
/// Most header lines.
const HEADER_LINES: usize = 64;
/// Largest piece of an upload held at once.
const BUFFER: usize = 256 << 10;
/// How long the rest of a refused upload is read and dropped, at most.
const LINGER: Duration = Duration::from_mins(1);
/// Longest silence in that time.
const LINGER_IDLE: Duration = Duration::from_secs(5);
/// How many connections beyond their clients' limits get an error at the same time, and how long that may take. Others are
/// closed.
const REFUSALS: (usize, Duration) = (32, Duration::from_secs(2));

/// Accepts connections until `stop` yields the moment at which open ones are cut off; until then, they can finish their
/// answers. Returns how many were cut off.
pub(in crate::server) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    proxies: &Proxies,
    stop: impl Future<Output = Instant>,
) -> usize {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_header_size(HEADER_BYTES)
        .max_headers(HEADER_LINES)
        .max_buf_size(BUFFER);
    let seats = Seats::new(limits.connections, limits.client.connections);
    let refusals = Arc::new(Semaphore::new(REFUSALS.0));
    let graceful = GracefulShutdown::new();
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let until = loop {
        let accepted = tokio::select! {
            biased;
            until = &mut stop => break until,
            accepted = accept(&listener, &seats) => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Usually too many open files: let some connections end.
                tracing::warn!(reason = %error, "accepting a connection failed");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while open.try_join_next().is_some() {}
        let stream = TokioIo::new(Patient::new(stream, limits.stall));
        let client = (!proxies.trusts(peer.0)).then(|| Client::new(peer.0));
        let Some(seat) = seats.take(client) else {
            let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() else { continue };
            let refusal =
                http.serve_connection(stream, service_fn(async |_| Ok::<_, std::convert::Infallible>(refuse())));
            open.spawn(async move {
                let _ = tokio::time::timeout(REFUSALS.1, refusal).await;
                drop(permit);
            });
            continue;
        };
        let (router, service_seat) = (router.clone(), seat.clone());
        let service = service_fn(move |request| answer(router.clone(), service_seat.answering(), peer, request));
        let connection = graceful.watch(http.serve_connection(stream, service));
        open.spawn(async move {
            // Errors here are caused by the client or its network; requests are logged separately.
            tokio::select! {
                _ = connection => {}
                () = seat.cut() => {}
            }
        });
    };
    drop(listener);
    // Connections without a request have nothing to finish.
    seats.cut_idle();
    let _ = tokio::time::timeout_at(until, graceful.shutdown()).await;
    // Connections that are still open after that are cut off when `open` is dropped.
    seats.answering()
}

/// Answers a request. The connection counts as busy until the last byte of the answer is on its way.
async fn answer(
    router: Router,
    answering: Answering,
    peer: Peer,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<hyper::Response<Body>, std::convert::Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| body::with(body, answering)))
}

/// The answer on a connection that exceeds a limit.
fn refuse() -> hyper::Response<Body> {
    let message = "this network address has reached its limit of open connections; close some";
    let error = Error::new(Code::QuotaExceeded, message).with_retry_after(1);
    after_upload(Err(error))
}

async fn accept(listener: &TcpListener, seats: &Seats) -> io::Result<(TcpStream, Peer)> {
    seats.room().await;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Answers are written in large pieces; progress events should leave at once.
                let _ = stream.set_nodelay(true);
                return Ok((stream, address.into()));
            }
            // A client that left before it was accepted is not an error.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            Err(error) => return Err(error),
        }
    }
}

/// A stream that gives up on a client that receives nothing, and that closes gracefully.
struct Patient<S> {
    stream: S,
    stall: Duration,
    /// Runs while a write waits for the client.
    waiting: Option<Pin<Box<Sleep>>>,
    closing: Option<Closing>,
}

/// The state of a stream whose own half is closed.
struct Closing {
    until: Instant,
    idle: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    fn new(stream: S, stall: Duration) -> Self {
        Self { stream, stall, waiting: None, closing: None }
    }

    /// Passes on the outcome of a write, but limits how long it may wait.
    fn bounded<T>(&mut self, outcome: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.waiting = None;
            return outcome;
        }
        let stall = self.stall;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(stall)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.bounded(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(outcome, context)
    }

    /// Closes this half, then reads until the client has closed the other one, falls silent, or takes too long.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
            ready!(this.bounded(outcome, context))?;
        }
        let closing = this
            .closing
            .get_or_insert_with(|| Closing { until: Instant::now() + LINGER, idle: Box::pin(sleep(LINGER_IDLE)) });
        let mut waste = [0; 16 << 10];
        // A bounded number of reads at a time, so that one client does not keep the thread from the others.
        for _ in 0..16 {
            let mut buffer = ReadBuf::new(&mut waste);
            match Pin::new(&mut this.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) if Instant::now() < closing.until => {
                    closing.idle.as_mut().reset(Instant::now() + LINGER_IDLE);
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    ready!(closing.idle.as_mut().poll(context));
                    return Poll::Ready(Ok(()));
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (ours, theirs) = duplex(100);
        let mut patient = Patient::new(ours, Duration::from_millis(50));
        let refused = patient.write_all(&[0; 1000]).await.expect_err("nobody reads");
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        drop(theirs);
    }

    #[tokio::test]
    async fn closing_lets_the_client_finish_its_sentence() {
        let (ours, mut theirs) = duplex(100);
        let mut patient = Patient::new(ours, Duration::from_mins(1));
        let client = tokio::spawn(async move {
            theirs.write_all(&vec![1; 500_000]).await.expect("the rest is still taken");
            let mut answer = Vec::new();
            theirs.read_to_end(&mut answer).await.expect("the answer is still there");
            answer
        });
        patient.write_all(b"no").await.expect("room for two bytes");
        patient.shutdown().await.expect("a gentle end");
        assert_eq!(client.await.expect("no panic"), b"no");
    }
}
