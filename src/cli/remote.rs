//! A client for a filter server: upload, wait, download. It supports [`crate::server`] and simpler servers that answer at once.

mod exchange;
mod plain;
#[cfg(feature = "client")]
mod vectors;
mod way;

use std::io::{Read, Write as _};
use std::time::{Duration, Instant};

use clap::builder::TypedValueParser;
use serde::Deserialize;
use ureq::Agent;
use ureq::http::{Request, Uri, header};

use self::exchange::{Exchange, Peer, Watched};
#[cfg(feature = "client")]
pub(super) use self::vectors::Vectors;
pub(super) use self::way::WayFlags;
use super::files::Sink;
use super::ui::{Bar, Ui, Unit};
use crate::address;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::watch::Watch as _;
use crate::wire::MEDIA_TYPE;

/// How long a job's state may stay unknown before the server counts as gone.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long to wait for an answer that no longer matters.
const FAREWELL: Duration = Duration::from_secs(2);
/// The longest JSON answer that is read, in bytes.
const MAX_JSON: u64 = 1 << 16;

/// A server's address.
#[derive(Clone)]
pub(super) struct Address {
    /// Scheme, host and port, with the user's name and password if there are such.
    origin: String,
    /// The same without them.
    shown: String,
    /// The path under which its interface lies, without `/` at its end.
    folder: String,
}

/// A server, and the way to it.
pub(super) struct Server {
    address: Address,
    peer: Peer,
    agent: Agent,
}

/// What is sent.
pub(super) struct Upload {
    pub(super) body: Box<dyn Read + Send>,
    /// Bytes in all.
    pub(super) length: u64,
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

    fn filter(&self, name: &str, parameters: &[(String, String)]) -> String {
        let query: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}/v1/filters/{}{mark}{}", self.origin, self.folder, quote(name), query.join("&"))
    }

    /// The full address of a job or of keys. Its name gives power over it, so it is sent to no other server.
    fn resolve(&self, location: Option<String>) -> Result<String> {
        let bad = |what: &str| Error::new(Code::BadAnswer, format!("the server at {} {what}", self.shown));
        let location = location.ok_or_else(|| bad("sent no address of the new job or keys"))?;
        if location.starts_with('/') && !location.starts_with("//") {
            return Ok(format!("{}{location}", self.origin));
        }
        if let Some(rest) = location.strip_prefix(&self.shown).filter(|rest| rest.starts_with('/')) {
            return Ok(format!("{}{rest}", self.origin));
        }
        Err(bad("refers to another server; use that server's address"))
    }
}

/// Reads a flag's value that may have a password in it, which no error shows.
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
    /// [`Code::BadArgument`] if the way there cannot be used, by the flags or by the environment.
    pub(super) fn new(address: &Address, way: &WayFlags) -> Result<Self> {
        let uri = address.origin.parse().map_err(|_| Error::new(Code::BadArgument, "not a valid server address"))?;
        let (agent, via) = way.agent(&uri)?;
        let peer = Peer { origin: address.shown.clone(), via };
        Ok(Self { address: address.clone(), peer, agent })
    }

    /// Sends an encrypted image (or two, one after the other) and writes what comes back, unchecked, to the sink.
    ///
    /// `longest` is the greatest length in bytes that the answer can have.
    pub(super) fn filter(
        &self,
        name: &str,
        parameters: &[(String, String)],
        upload: Upload,
        longest: u64,
        sink: &mut Sink,
        ui: &Ui,
    ) -> Result<()> {
        let session = Session { server: self };
        let bar = ui.bar("sending", Unit::Bytes);
        let exchange = session.post(&self.address.filter(name, parameters), upload, &bar)?;
        bar.clear();
        match exchange.status() {
            200 => download(exchange, longest, sink, &ui.bar("receiving", Unit::Bytes)),
            202 => {
                let job = self.address.resolve(exchange.location())?;
                drop(exchange);
                let outcome = session.finish_job(&job, longest, sink, ui);
                // Done, failed or given up: the server need not keep it.
                session.delete(&job);
                outcome
            }
            _ => Err(refusal(exchange, &bar)),
        }
    }
}

/// Percent-encoding of everything but letters, digits and `-._~` (RFC 3986, section 2.3).
fn quote(text: &str) -> String {
    let quote = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(quote).collect()
}

struct Session<'a> {
    server: &'a Server,
}

impl Session<'_> {
    fn post(&self, address: &str, upload: Upload, bar: &Bar) -> Result<Exchange> {
        bar.progress(0, upload.length);
        let request = Request::post(address)
            .header(header::CONTENT_TYPE, MEDIA_TYPE)
            .header(header::CONTENT_LENGTH, upload.length)
            // A server that will not take it can say so before it has been sent.
            .header(header::EXPECT, "100-continue")
            .header("Prefer", "respond-async");
        let body = Watched { body: upload.body, sent: 0, length: upload.length, bar: bar.clone() };
        let mut exchange = Exchange::start(&self.server.agent, request, Some(body), &self.server.peer);
        match exchange.wait(bar) {
            Ok(()) => Ok(exchange),
            Err(error) => {
                // The server may have started a job that no one else knows about.
                if error.kind() == Code::Cancelled
                    && exchange.wait_at_most(FAREWELL)
                    && let Ok(job) = self.server.address.resolve(exchange.location())
                {
                    self.delete(&job);
                }
                Err(error)
            }
        }
    }

    /// Waits for a job and fetches its result.
    fn finish_job(&self, job: &str, longest: u64, sink: &mut Sink, ui: &Ui) -> Result<()> {
        let bar = ui.bar("waiting", Unit::Rows);
        let mut last_heard = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            match self.state(job, &bar) {
                Ok(state) => {
                    last_heard = Instant::now();
                    match state.state.as_str() {
                        "done" => break,
                        "failed" => return Err(state.error.unwrap_or_default().into_error("the job failed")),
                        _ if state.total > 0 => bar.progress(state.done, state.total),
                        _ => bar.tick(),
                    }
                }
                // The work goes on when a line is cut for a moment.
                Err(error) if error.kind() == Code::Unreachable && last_heard.elapsed() < PATIENCE => {}
                Err(error) => return Err(error),
            }
            sleep(pause, &bar)?;
            pause = (pause * 3 / 2).min(Duration::from_secs(1));
        }
        bar.clear();
        let bar = ui.bar("receiving", Unit::Bytes);
        let exchange = self.get(&format!("{job}/result"), &bar)?;
        download(exchange, longest, sink, &bar)
    }

    fn state(&self, job: &str, bar: &Bar) -> Result<JobState> {
        let json = self.get(job, bar)?.read_all(MAX_JSON, bar)?;
        json::read(&json).map_err(|fault| Error::new(Code::BadAnswer, format!("the job's state is not valid: {fault}")))
    }

    fn get(&self, address: &str, bar: &Bar) -> Result<Exchange> {
        let mut exchange = Exchange::start(&self.server.agent, Request::get(address), None, &self.server.peer);
        exchange.wait(bar)?;
        if exchange.status() == 200 { Ok(exchange) } else { Err(refusal(exchange, bar)) }
    }

    /// Deletes a job on a best-effort basis: a server that is gone has nothing left to delete.
    fn delete(&self, job: &str) {
        Exchange::start(&self.server.agent, Request::delete(job), None, &self.server.peer).wait_at_most(FAREWELL);
    }
}

/// Where a job stands.
#[derive(Deserialize)]
struct JobState {
    state: String,
    #[serde(default)]
    done: u64,
    #[serde(default)]
    total: u64,
    error: Option<Problem>,
}

/// An error as a server describes it (RFC 9457).
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

impl Problem {
    fn into_error(self, otherwise: &str) -> Error {
        // A server that does not know our codes can still explain itself.
        let code = Code::from_name(&self.code).unwrap_or(Code::BadAnswer);
        let detail = if self.detail.is_empty() { otherwise } else { &self.detail };
        Error::new(code, format!("the server says: {}", detail.chars().take(500).collect::<String>()))
    }
}

/// The error for an unexpected status.
fn refusal(exchange: Exchange, bar: &Bar) -> Error {
    let status = exchange.status();
    if (300..400).contains(&status) {
        let place = address::without_user(&exchange.location().unwrap_or_default());
        return Error::new(Code::BadAnswer, format!("the server has moved to {place}; use its new address"));
    }
    let problem = exchange.read_all(MAX_JSON, bar).ok().and_then(|json| json::read::<Problem>(&json).ok());
    match problem {
        Some(problem) => problem.into_error(&format!("status {status}")),
        None => Error::new(
            Code::BadAnswer,
            format!("the server answered with status {status}; is this the address of a Safelight server?"),
        ),
    }
}

/// Copies an answer's body to the sink.
fn download(mut exchange: Exchange, longest: u64, sink: &mut Sink, bar: &Bar) -> Result<()> {
    let total = exchange.length().unwrap_or(longest);
    let mut received = 0;
    while let Some(bytes) = exchange.next(bar)? {
        received += bytes.len() as u64;
        if received > longest {
            return Err(Error::new(Code::BadAnswer, "the server's answer is longer than the result can be"));
        }
        sink.write_all(&bytes)?;
        bar.progress(received, total);
    }
    bar.clear();
    Ok(())
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
        let parameters = [("weights".to_owned(), "1,-2;3 4".to_owned()), ("divisor".to_owned(), "7".to_owned())];
        assert_eq!(
            server.filter("kernel", &parameters),
            "https://photos.example:8443/safelight/v1/filters/kernel?weights=1%2C-2%3B3%204&divisor=7"
        );
        let server = Address::parse("http://[::1]:80").expect("address");
        assert_eq!(server.filter("mean", &[]), "http://[::1]:80/v1/filters/mean");
        for port in ["0", "65536", "99999", "", "x"] {
            assert!(Address::parse(&format!("http://127.0.0.1:{port}")).is_err(), "{port}");
        }
        for text in ["photos.example", "ftp://photos.example", "http://", "https://a?b", "", "/v1"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_jobs_name_goes_to_no_other_server() {
        let server = Address::parse("http://one.example").expect("address");
        let resolve = |location: &str| server.resolve(Some(location.into())).ok();
        assert_eq!(resolve("/v1/jobs/7").as_deref(), Some("http://one.example/v1/jobs/7"));
        assert_eq!(resolve("http://one.example/v1/jobs/7").as_deref(), Some("http://one.example/v1/jobs/7"));
        for location in ["//two.example/v1/jobs/7", "http://two.example/7", "http://one.example.two/7", "jobs/7", ""] {
            assert_eq!(resolve(location), None, "{location}");
        }
        assert!(server.resolve(None).is_err());
        // A user's name and password go along, and are shown nowhere.
        let server = Address::parse("http://anna:geheim@one.example").expect("address");
        let location = server.resolve(Some("http://one.example/v1/jobs/7".into())).ok();
        assert_eq!(location.as_deref(), Some("http://anna:geheim@one.example/v1/jobs/7"));
        let error = server.resolve(None).expect_err("no place");
        assert!(error.message().contains("http://one.example") && !error.message().contains("geheim"), "{error}");
    }

    #[test]
    fn problems_keep_their_code() {
        let problem: Problem = serde_json::from_str(r#"{"code":"too_busy","detail":"later"}"#).expect("JSON");
        let error = problem.into_error("status 503");
        assert_eq!((error.kind(), error.message()), (Code::TooBusy, "the server says: later"));
        let problem: Problem = serde_json::from_str(r#"{"code":"mine","title":"?"}"#).expect("JSON");
        assert_eq!(problem.into_error("status 500").kind(), Code::BadAnswer);
    }
}
