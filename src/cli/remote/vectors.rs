//! A server's interface for encrypted vectors: evaluation keys, whose interrupted uploads are resumed, and networks.

use std::io::Cursor;
use std::time::{Duration, Instant};

use ureq::http::{Request, header};

use super::exchange::{Exchange, Watched};
use super::{PATIENCE, Server, quote, refusal, sleep};
use crate::cli::ui::Bar;
use crate::error::{Code, Error, Result};
use crate::watch::Watch as _;
use crate::wire::MEDIA_TYPE;

/// The longest public part of a network that is read, in bytes.
const MAX_FRONT: u64 = 1 << 26;
/// The longest encrypted answer, in bytes.
const MAX_ANSWER: u64 = 1 << 24;
/// How long to wait before the next try.
const PAUSE: Duration = Duration::from_secs(1);

/// A server, for vectors.
pub(in crate::cli) struct Vectors<'a> {
    server: &'a Server,
}

impl Server {
    /// Its interface for vectors.
    pub(in crate::cli) fn vectors(&self) -> Vectors<'_> {
        Vectors { server: self }
    }
}

impl Vectors<'_> {
    /// The file of a network's public part.
    pub(in crate::cli) fn front(&self, network: &str, bar: &Bar) -> Result<Vec<u8>> {
        let request = Request::get(self.address(&format!("models/{}/file", quote(network))));
        let exchange = self.answered(request, None, 200, bar)?;
        exchange.read_all(MAX_FRONT, bar)
    }

    /// Sends evaluation keys and returns their address. An interrupted upload is resumed where it stopped.
    pub(in crate::cli) fn send_keys(&self, set: &[u8], bar: &Bar) -> Result<String> {
        let length = set.len() as u64;
        let begin = Request::post(self.address("keys")).header("Upload-Length", length);
        let address = self.server.address.resolve(self.answered(begin, None, 201, bar)?.location())?;
        let mut last_heard = Instant::now();
        let mut offset = 0;
        while offset < length {
            match self.send_piece(&address, set, offset, bar) {
                Ok(()) => break,
                Err(error) if error.kind() == Code::Unreachable && last_heard.elapsed() < PATIENCE => {
                    sleep(PAUSE, bar)?;
                    if let Ok(there) = self.offset(&address, bar) {
                        (offset, last_heard) = (there.min(length), Instant::now());
                    }
                }
                Err(error) => {
                    self.forget(&address);
                    return Err(error);
                }
            }
        }
        bar.clear();
        Ok(address)
    }

    fn send_piece(&self, address: &str, set: &[u8], offset: u64, bar: &Bar) -> Result<()> {
        let piece = set.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default().to_vec();
        let length = set.len() as u64;
        bar.progress(offset, length);
        let request = Request::patch(address)
            .header("Upload-Offset", offset)
            .header(header::CONTENT_TYPE, MEDIA_TYPE)
            .header(header::CONTENT_LENGTH, piece.len());
        let body = Watched { body: Box::new(Cursor::new(piece)), sent: offset, length, bar: bar.clone() };
        self.answered(request, Some(body), 200, bar).map(drop)
    }

    /// The number of bytes that the server has.
    fn offset(&self, address: &str, bar: &Bar) -> Result<u64> {
        let exchange = self.answered(Request::head(address), None, 200, bar)?;
        exchange
            .offset()
            .ok_or_else(|| Error::new(Code::BadAnswer, "the server does not say how many bytes it has received"))
    }

    /// A network's encrypted answer for an encrypted picture.
    pub(in crate::cli) fn classify(&self, network: &str, keys: &str, picture: Vec<u8>, bar: &Bar) -> Result<Vec<u8>> {
        let id = keys.rsplit('/').next().unwrap_or_default();
        let address = self.address(&format!("classifiers/{}?keys={}", quote(network), quote(id)));
        let length = picture.len() as u64;
        let request =
            Request::post(address).header(header::CONTENT_TYPE, MEDIA_TYPE).header(header::CONTENT_LENGTH, length);
        let body = Watched { body: Box::new(Cursor::new(picture)), sent: 0, length, bar: bar.clone() };
        self.answered(request, Some(body), 200, bar)?.read_all(MAX_ANSWER, bar)
    }

    /// Deletes keys on a best-effort basis: a server that is gone has none left.
    pub(in crate::cli) fn forget(&self, address: &str) {
        let (agent, peer) = (&self.server.agent, &self.server.peer);
        Exchange::start(agent, Request::delete(address), None, peer).wait_at_most(super::FAREWELL);
    }

    fn address(&self, path: &str) -> String {
        format!("{}{}/v1/{path}", self.server.address.origin, self.server.address.folder)
    }

    /// Sends a request and waits for the head of an answer of this status.
    fn answered(
        &self,
        request: ureq::http::request::Builder,
        body: Option<Watched>,
        status: u16,
        bar: &Bar,
    ) -> Result<Exchange> {
        let mut exchange = Exchange::start(&self.server.agent, request, body, &self.server.peer);
        exchange.wait(bar)?;
        if exchange.status() == status { Ok(exchange) } else { Err(refusal(exchange, bar)) }
    }
}
