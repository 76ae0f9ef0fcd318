//! The command line's client of a server: drives the conversations of [`crate::remote`] with an HTTP library. It
//! supports [`crate::server`] and simpler servers that answer at once.

mod exchange;
mod plain;
mod way;

#[cfg(feature = "client")]
use std::io::Cursor;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use clap::builder::TypedValueParser;
use ureq::Agent;
use ureq::http::{Request as Http, Uri, header};

use self::exchange::{Exchange, Peer, Watched};
pub(super) use self::way::WayFlags;
use super::ui::{Bar, Ui, Unit};
use crate::address;
use crate::error::{Code, Error, Result};
use crate::remote::{Answer, Body, Conversation, Keep, Phase, Progress, Request, Step};
use crate::watch::Watch as _;

/// How long to wait for an answer that no longer matters.
const FAREWELL: Duration = Duration::from_secs(2);

/// A server's address.
#[derive(Clone)]
pub(super) struct Address {
    /// Scheme, host and port, with a user name and password if there are any.
    origin: String,
    /// The origin without user name and password.
    shown: String,
    /// The path of the server's interface, without a trailing `/`.
    folder: String,
}

/// A server and the connection to it.
pub(super) struct Server {
    address: Address,
    peer: Peer,
    agent: Agent,
}

/// The input of a conversation.
pub(super) enum Input {
    #[cfg(feature = "client")]
    Nothing,
    /// A stream, which can be sent only once.
    Stream(Option<Box<dyn Read + Send>>),
    #[cfg(feature = "client")]
    Bytes(Vec<u8>),
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| "not a valid server address".to_owned())?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        match (uri.scheme_str(), uri.authority()) {
            (Some(_), Some(authority)) if !address::port_is_good(authority.as_str()) => {
                Err("the port is a number from 1 to 65535".into())
            }
            (Some(scheme), Some(authority)) if known && uri.query().is_none() && !authority.host().is_empty() => {
                let origin = format!("{scheme}://{authority}");
                let shown = address::without_user(&origin);
                Ok(Self { origin, shown, folder: uri.path().trim_end_matches('/').to_owned() })
            }
            _ => Err("write it as http://host:port or https://host".into()),
        }
    }

    /// The full address of a path below this one.
    fn resolve(&self, path: &str) -> String {
        format!("{}{}/{path}", self.origin, self.folder)
    }
}

/// Reads a flag's value that may contain a password. Errors never show the password.
#[derive(Clone)]
pub(super) struct Masked<T>(pub(super) fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Masked<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        flag: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<T, clap::Error> {
        let text = value.to_string_lossy();
        (self.0)(&text).or_else(|why| {
            let fail = move |_: &str| Err::<T, _>(why.clone());
            fail.parse_ref(command, flag, std::ffi::OsStr::new(&address::without_user(&text)))
        })
    }
}

impl Server {
    /// The server at an address. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the proxy or the certificate authorities in the flags or the environment cannot be
    /// used.
    pub(super) fn new(address: &Address, way: &WayFlags) -> Result<Self> {
        let uri = address.origin.parse().map_err(|_| Error::new(Code::BadArgument, "not a valid server address"))?;
        let (agent, via) = way.agent(&uri)?;
        let peer = Peer { origin: address.shown.clone(), via };
        Ok(Self { address: address.clone(), peer, agent })
    }

    /// Runs a conversation to its end. Writes downloaded data to `output`, which may be incomplete after an error.
    ///
    /// # Errors
    /// Those of the conversation; [`Code::Cancelled`] after Ctrl-C, in which case the work on the server is deleted.
    pub(super) fn run<T>(
        &self,
        mut conversation: Conversation<T>,
        mut input: Input,
        output: &mut dyn Write,
        ui: &Ui,
    ) -> Result<T> {
        let mut bars = Bars { ui, shown: None };
        loop {
            match conversation.step() {
                Step::Done(outcome) => return outcome,
                Step::Pause(time) => {
                    if sleep(time, bars.show(conversation.progress())).is_err() {
                        conversation.cancel();
                    }
                }
                Step::Exchange(request) => {
                    let answer = self.exchange(&mut conversation, request, &mut input, output, &mut bars);
                    if answer.as_ref().is_err_and(|error| error.kind() == Code::Cancelled) {
                        conversation.cancel();
                    }
                    conversation.answer(answer);
                }
            }
        }
    }

    fn exchange<T>(
        &self,
        conversation: &mut Conversation<T>,
        request: Request,
        input: &mut Input,
        output: &mut dyn Write,
        bars: &mut Bars<'_>,
    ) -> Result<Answer> {
        let Request { method, path, headers, body, keep, farewell } = request;
        let bar = bars.show(conversation.progress()).clone();
        let body = input.body(body, conversation.progress(), &bar)?;
        let mut http = Http::builder().method(method).uri(self.address.resolve(&path));
        for (name, value) in headers {
            http = http.header(name, value);
        }
        if let Some((_, length)) = &body {
            // With this field, a server can refuse the body before it is sent.
            http = http.header(header::CONTENT_LENGTH, *length).header(header::EXPECT, "100-continue");
        }
        let mut exchange = Exchange::start(&self.agent, http, body.map(|(body, _)| body), &self.peer);
        if farewell {
            exchange.wait_at_most(FAREWELL);
            return Ok(exchange.answer());
        }
        if let Err(error) = exchange.wait(&bar) {
            // The server may have started a job that no one else knows about.
            if error.kind() == Code::Cancelled {
                conversation.cancel();
                if exchange.wait_at_most(FAREWELL) {
                    return Ok(exchange.answer());
                }
            }
            return Err(error);
        }
        receive(conversation, exchange, keep, output, bars)
    }
}

impl Input {
    /// The body of a request and its length in bytes.
    fn body(&mut self, body: Body, progress: Progress, bar: &Bar) -> Result<Option<(Watched, u64)>> {
        let range = match body {
            Body::Empty => return Ok(None),
            Body::Input(range) => range,
            Body::Form(_) => return Err(Error::new(Code::Internal, "the command line sends no forms")),
        };
        let body: Box<dyn Read + Send> = match self {
            Self::Stream(stream) => match stream.take() {
                Some(stream) if range.start == 0 => stream,
                _ => return Err(Error::new(Code::Internal, "a stream can be sent only once")),
            },
            #[cfg(feature = "client")]
            Self::Bytes(bytes) => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                let part = bytes.get(place(range.start)..place(range.end)).unwrap_or_default();
                Box::new(Cursor::new(part.to_vec()))
            }
            #[cfg(feature = "client")]
            Self::Nothing => return Err(Error::new(Code::Internal, "there is no input")),
        };
        let length = range.end - range.start;
        let watched = Watched { body, sent: range.start, length: progress.total.max(range.end), bar: bar.clone() };
        Ok(Some((watched, length)))
    }
}

/// Receives an answer's body, into the answer or the output.
fn receive<T>(
    conversation: &mut Conversation<T>,
    mut exchange: Exchange,
    keep: Keep,
    output: &mut dyn Write,
    bars: &mut Bars<'_>,
) -> Result<Answer> {
    let mut answer = exchange.answer();
    let (longest, is_output) = (keep.longest(answer.status), keep.is_output(answer.status));
    let total = exchange.length().unwrap_or(longest);
    let mut received = 0;
    loop {
        if is_output {
            conversation.received(received, total);
        }
        let Some(bytes) = exchange.next(bars.show(conversation.progress()))? else { return Ok(answer) };
        received += bytes.len() as u64;
        if received > longest {
            return Err(keep.too_long());
        }
        if is_output {
            output.write_all(&bytes)?;
        } else {
            answer.body.extend(bytes);
        }
    }
}

/// The progress bar of the current phase.
struct Bars<'a> {
    ui: &'a Ui,
    shown: Option<(Phase, Bar)>,
}

impl Bars<'_> {
    fn show(&mut self, progress: Progress) -> &Bar {
        let Progress { phase, done, total } = progress;
        if self.shown.as_ref().is_none_or(|(shown, _)| *shown != phase) {
            self.clear();
        }
        let ui = self.ui;
        let (_, bar) = self.shown.get_or_insert_with(|| {
            let bar = match phase {
                Phase::Upload => ui.bar("sending", Unit::Bytes),
                Phase::Work => ui.bar("waiting", Unit::Rows),
                Phase::Download => ui.bar("receiving", Unit::Bytes),
            };
            (phase, bar)
        });
        if total > 0 {
            bar.progress(done, total);
        } else {
            bar.tick();
        }
        bar
    }

    fn clear(&mut self) {
        if let Some((_, bar)) = self.shown.take() {
            bar.clear();
        }
    }
}

impl Drop for Bars<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

fn sleep(time: Duration, bar: &Bar) -> Result<()> {
    let end = Instant::now() + time;
    loop {
        bar.check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(exchange::BLINK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_put_together() {
        let server = Address::parse("https://photos.example:8443/safelight/").expect("address");
        assert_eq!(server.resolve("v1/filters/mean"), "https://photos.example:8443/safelight/v1/filters/mean");
        let server = Address::parse("http://[::1]:80").expect("address");
        assert_eq!(server.resolve("v1/keys"), "http://[::1]:80/v1/keys");
        for port in ["0", "65536", "99999", "", "x"] {
            assert!(Address::parse(&format!("http://127.0.0.1:{port}")).is_err(), "{port}");
        }
        for text in ["photos.example", "ftp://photos.example", "http://", "https://a?b", "", "/v1"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        // The user name and password are sent, but never shown.
        let server = Address::parse("http://anna:geheim@one.example").expect("address");
        assert_eq!(server.resolve("v1"), "http://anna:geheim@one.example/v1");
        assert_eq!(server.shown, "http://one.example");
    }
}
