//! A small HTTP client over plain sockets, so that the tests control every byte and its timing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header, empty if it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The code of a problem. Also checks the form of the answer.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        assert_eq!(json["type"], "about:blank");
        for field in ["title", "detail", "code"] {
            assert!(json[field].as_str().is_some_and(|text| !text.is_empty()), "{json}");
        }
        json["code"].as_str().expect("checked").to_owned()
    }
}

/// Sends a request with its whole body and returns the answer.
pub(crate) fn call(to: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let length = body.len().to_string();
    let mut request = Request::open(to, method, target, &[headers, &[("Content-Length", &length)]].concat());
    // The server may refuse and close before it has received everything. Only its answer matters.
    let _ = request.try_send(body);
    request.answer()
}

/// Does the same as [`call`] from another address of this machine.
pub(crate) fn call_from(
    from: Ipv4Addr,
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let length = body.len().to_string();
    let headers = [headers, &[("Content-Length", &length)]].concat();
    let mut request = Request::over(connect_from(from, to), to, method, target, &headers);
    let _ = request.try_send(body);
    request.answer()
}

/// Connects from another address of this machine: every address 127.x.y.z is one.
pub(crate) fn connect_from(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(to).await?.into_std()
    });
    let stream = stream.expect("the server accepts");
    stream.set_nonblocking(false).expect("set");
    stream
}

pub(crate) fn get(to: SocketAddr, target: &str) -> Answer {
    call(to, "GET", target, &[], b"")
}

pub(crate) fn post(to: SocketAddr, target: &str, body: &[u8]) -> Answer {
    call(to, "POST", target, &[("Content-Type", "application/vnd.safelight")], body)
}

/// A request that is being sent.
pub(crate) struct Request {
    stream: TcpStream,
    head: bool,
}

impl Request {
    /// Sends only the header. If the headers contain no `Content-Length`, the body is sent in chunks.
    pub(crate) fn open(to: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)]) -> Self {
        Self::over(TcpStream::connect(to).expect("the server accepts"), to, method, target, headers)
    }

    /// Sends the header over an open connection.
    pub(crate) fn over(
        mut stream: TcpStream,
        to: SocketAddr,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a time is set");
        stream.set_nodelay(true).expect("set");
        let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
        let named = headers.iter().any(|(name, _)| *name == "Host");
        let host = if named { String::new() } else { format!("Host: {to}\r\n") };
        let text = format!("{method} {target} HTTP/1.1\r\n{host}Connection: close\r\n{lines}\r\n");
        stream.write_all(text.as_bytes()).expect("the header is taken");
        Self { stream, head: method == "HEAD" }
    }

    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the server takes the bytes");
    }

    /// Sends one chunk of a body of unknown length; an empty chunk ends it.
    pub(crate) fn send_chunk(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.try_send(format!("{:x}\r\n", bytes.len()).as_bytes())?;
        self.try_send(bytes)?;
        self.try_send(b"\r\n")
    }

    /// Returns the status, the headers, and a reader of the body.
    pub(crate) fn head(self) -> (u16, Vec<(String, String)>, impl BufRead) {
        let mut reader = BufReader::new(self.stream);
        let mut line = String::new();
        reader.read_line(&mut line).expect("a status line");
        let status = line.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line).expect("a header");
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        (status, headers, reader)
    }

    /// Returns the whole answer, which must have the declared length.
    pub(crate) fn answer(self) -> Answer {
        let head = self.head;
        let (status, headers, mut reader) = self.head();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if head || status == 204 || status == 304 {
            return answer;
        }
        if answer.header("transfer-encoding") == "chunked" {
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a chunk's length");
                let length = usize::from_str_radix(line.trim(), 16).expect("a number");
                let mut chunk = vec![0; length + 2];
                reader.read_exact(&mut chunk).expect("a whole chunk");
                if length == 0 {
                    return answer;
                }
                answer.body.extend_from_slice(&chunk[..length]);
            }
        }
        let length = answer.header("content-length").parse().expect("a length");
        answer.body = vec![0; length];
        reader.read_exact(&mut answer.body).expect("the whole body");
        answer
    }
}
