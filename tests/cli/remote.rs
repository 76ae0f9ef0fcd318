//! `filter --server`: our own server, a simple one, and servers that misbehave.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use safelight::schemes::paillier::Filter;
use safelight::schemes::paillier::stream::{Limits, run_filter};
use safelight::watch::NoWatch;

use crate::files::interrupt;
use crate::program::{Folder, Run, picture};

pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    folder.write_png("photo.png", &picture(9, 7, 3, 21));
    folder.run("encrypt --key my.key photo.png --out photo.slt").ok();
    folder.run("filter sharpen photo.slt --out here.slt").ok();
    folder.run("decrypt --key my.key here.slt --out here.png").ok();
    folder
}

/// Our own server, stopped when dropped.
pub(crate) struct OwnServer {
    process: Child,
    pub(crate) address: String,
}

impl OwnServer {
    pub(crate) fn start(folder: &Folder, flags: &str) -> Self {
        let mut process = folder.spawn(&format!("serve --listen 127.0.0.1:0 {flags}"));
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("safelight: listening on ").expect("an address").to_owned();
        Self { process, address }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A request to a test server: method, path and query, headers in lower case, body.
pub(crate) struct Asked {
    line: String,
    headers: String,
    pub(crate) body: Vec<u8>,
}

/// A server that answers each request by calling `answer`, and reports the request.
pub(crate) fn server(answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Some(asked) = read_request(&mut &stream) {
                // The client may have disconnected.
                let _ = (&stream).write_all(&answer(&asked));
                let _ = sender.send(asked);
            }
        }
    });
    (address, receiver)
}

/// Reads a request from a connection, with or without TLS.
pub(crate) fn read_request(stream: &mut (impl Read + Write)) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).ok()?;
    let (line, headers) = head.split_once("\r\n")?;
    let headers = headers.to_lowercase();
    if headers.contains("expect: 100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { line: line.trim().to_owned(), headers, body })
}

pub(crate) fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(crate) fn filter(body: &[u8], name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let filter = Filter::parse(name, &[]).expect("filter");
    run_filter(&mut &body[..], &mut out, &filter, &Limits::default(), &NoWatch).expect("filtered");
    out
}

#[test]
fn our_server_gives_what_is_made_here() {
    let folder = folder();
    let server = OwnServer::start(&folder, "");
    let at = format!("--server {}", server.address);
    folder.run(&format!("filter sharpen photo.slt --out there.slt {at}")).ok();
    folder.run("decrypt --key my.key there.slt --out there.png").ok();
    assert_eq!(folder.read("there.png"), folder.read("here.png"));

    folder.run(&format!("filter kernel --kernel -1,2,-1 --divisor 2 photo.slt --out there.slt {at}/")).ok();
    folder.run("filter kernel --kernel -1,2,-1 --divisor 2 photo.slt --out here.slt").ok();
    folder.run("decrypt --key my.key there.slt --out there.png").ok();
    folder.run("decrypt --key my.key here.slt --out here.png").ok();
    assert_eq!(folder.read("there.png"), folder.read("here.png"));

    folder.run(&format!("filter blend photo.slt photo.slt --out there.slt {at}")).error("slot_overflow");
    folder.run("encrypt --key my.key photo.png --out wide.slt --for blend").ok();
    let through = folder.run_on(&format!("filter blend wide.slt - --out - {at}"), &folder.read("wide.slt")).ok();
    folder.write("there.slt", &through);
    folder.run("decrypt --key my.key there.slt --out there.png").ok();
    assert_eq!(folder.read_photo("there.png").samples(), folder.read_photo("photo.png").samples());
}

#[test]
fn our_servers_refusals_keep_their_codes() {
    let folder = folder();
    let server = OwnServer::start(&folder, "--max-body 1KiB");
    let before = folder.names();
    let at = format!("--server {}", server.address);
    let message = folder.run(&format!("filter mean photo.slt --out there.slt {at}")).error("too_large");
    assert!(message.starts_with("the server says: "), "{message}");
    folder.run(&format!("filter mean photo.slt --out there.slt {at}/elsewhere")).error("not_found");
    // Errors in the file are found before it is sent.
    folder.run(&format!("filter mean --radius 2 photo.slt --out there.slt {at}")).error("halo_too_small");
    drop(server);
    let server = OwnServer::start(&folder, "");
    let at = format!("--server {}", server.address);
    let image = folder.read("photo.slt");
    for (code, bytes) in [("truncated", &image[..image.len() - 1]), ("trailing_data", &[&image[..], b"x"].concat())] {
        let message = folder.run_on(&format!("filter mean - --out there.slt {at}"), bytes).error(code);
        assert!(!message.contains("server"), "{message}");
        folder.write("bad.slt", bytes);
        folder.run(&format!("filter mean bad.slt --out there.slt {at}")).error(code);
        std::fs::remove_file(folder.path("bad.slt")).expect("remove");
    }
    assert_eq!(folder.names(), before);
}

#[test]
fn a_simple_server_may_answer_at_once() {
    let folder = folder();
    let (address, asked) = server(|asked| http("200 OK", "", &filter(&asked.body, "sharpen")));
    folder.run(&format!("filter sharpen photo.slt --out there.slt --server {address}")).ok();
    folder.run("decrypt --key my.key there.slt --out there.png").ok();
    assert_eq!(folder.read("there.png"), folder.read("here.png"));
    let asked = asked.recv().expect("a request");
    assert_eq!(asked.line, "POST /v1/filters/sharpen HTTP/1.1");
    assert_eq!(asked.body, folder.read("photo.slt"));
    for header in ["content-type: application/vnd.safelight\r\n", "prefer: respond-async\r\n", "content-length: "] {
        assert!(asked.headers.contains(header), "{}", asked.headers);
    }
    assert!(!asked.headers.contains("photo"), "the file's name stays here: {}", asked.headers);
}

#[test]
fn a_job_is_asked_for_fetched_and_deleted() {
    let folder = folder();
    let image = folder.read("photo.slt");
    let polls = std::sync::atomic::AtomicU32::new(0);
    let (address, asked) = server(move |asked| match asked.line.as_str() {
        "GET /v1/jobs/7 HTTP/1.1" => match polls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => http("200 OK", "", br#"{"state":"waiting","done":0,"total":0}"#),
            1 => http("200 OK", "", br#"{"state":"running","done":1,"total":3}"#),
            _ => http("200 OK", "", br#"{"state":"done","done":3,"total":3}"#),
        },
        "GET /v1/jobs/7/result HTTP/1.1" => http("200 OK", "", &filter(&image, "sharpen")),
        "DELETE /v1/jobs/7 HTTP/1.1" => http("204 No Content", "", b""),
        _ => http("202 Accepted", "Location: /v1/jobs/7\r\n", b"{}"),
    });
    folder.run(&format!("filter sharpen photo.slt --out there.slt --server {address}")).ok();
    folder.run("decrypt --key my.key there.slt --out there.png").ok();
    assert_eq!(folder.read("there.png"), folder.read("here.png"));
    let lines: Vec<_> = asked.try_iter().map(|asked| asked.line).collect();
    assert_eq!(lines.last().map(String::as_str), Some("DELETE /v1/jobs/7 HTTP/1.1"), "{lines:?}");
}

#[test]
fn ctrl_c_deletes_the_job() {
    let folder = folder();
    let before = folder.names();
    let (address, asked) = server(|asked| match asked.line.split(' ').next() {
        Some("POST") => http("202 Accepted", "Location: /v1/jobs/7\r\n", b"{}"),
        Some("DELETE") => http("204 No Content", "", b""),
        _ => http("200 OK", "", br#"{"state":"running","done":1,"total":1000}"#),
    });
    let child = folder.spawn(&format!("filter sharpen photo.slt --out there.slt --server {address}"));
    let next = || asked.recv_timeout(Duration::from_mins(1)).expect("a request").line;
    assert!(next().starts_with("POST "));
    assert!(next().starts_with("GET "));
    interrupt(child.id());
    Run::of(child.wait_with_output().expect("it ends")).error("cancelled");
    let rest: Vec<_> = asked.try_iter().map(|asked| asked.line).collect();
    assert_eq!(rest.last().map(String::as_str), Some("DELETE /v1/jobs/7 HTTP/1.1"), "{rest:?}");
    assert_eq!(folder.names(), before);
}

#[test]
fn ctrl_c_is_heard_while_a_server_is_silent() {
    let folder = folder();
    let (reached, wait) = channel();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let silent = format!("http://{}", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        let stream = listener.accept();
        let _ = reached.send(());
        std::thread::sleep(Duration::from_mins(1));
        drop(stream);
    });
    let started = std::time::Instant::now();
    let child = folder.spawn(&format!("filter sharpen photo.slt --out there.slt --server {silent}"));
    wait.recv_timeout(Duration::from_mins(1)).expect("a connection");
    interrupt(child.id());
    Run::of(child.wait_with_output().expect("it ends")).error("cancelled");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn servers_that_misbehave_leave_nothing() {
    let folder = folder();
    let before = folder.names();
    let image = folder.read("photo.slt");
    let good = filter(&image, "sharpen");
    let damaged = {
        let mut bytes = good.clone();
        let at = bytes.len() - 50;
        bytes[at] ^= 1;
        bytes
    };
    let problem =
        br#"{"type":"about:blank","title":"x","status":503,"detail":"come\u001b[2Jback later","code":"too_busy"}"#;
    let failed = br#"{"state":"failed","done":0,"total":0,"error":{"code":"time_limit","detail":"too slow"}}"#;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("bad_answer", http("404 Not Found", "", b"<html>")),
        ("bad_answer", http("301 Moved", "Location: http://127.0.0.1:1/\r\n", b"")),
        ("bad_answer", http("202 Accepted", "", b"{}")),
        ("bad_answer", http("202 Accepted", "Location: http://127.0.0.1:1/v1/jobs/7\r\n", b"{}")),
        ("bad_answer", Vec::from(b"hello\r\n\r\n")),
        ("not_safelight", http("200 OK", "", b"<html>no image of ours</html>")),
        ("truncated", http("200 OK", "", &good[..good.len() - 1])),
        ("damaged", http("200 OK", "", &damaged)),
        ("trailing_data", http("200 OK", "", &[&good[..], b"x"].concat())),
        ("bad_answer", http("200 OK", "", &[good.clone(), vec![0; 1 << 20]].concat())),
        // Not filtered, or filtered by another filter.
        ("bad_answer", http("200 OK", "", &image)),
        ("bad_answer", http("200 OK", "", &filter(&image, "laplacian"))),
        ("too_busy", http("503 Service Unavailable", "Content-Type: application/problem+json\r\n", problem)),
        ("time_limit", http("200 OK", "", failed)),
    ];
    for (code, answer) in cases {
        let job = code == "time_limit";
        let (address, _) = server(move |asked| match asked.line.split(' ').next() {
            Some("POST") if job => http("202 Accepted", "Location: /v1/jobs/7\r\n", b"{}"),
            _ => answer.clone(),
        });
        let message = folder.run(&format!("filter sharpen photo.slt --out there.slt --server {address}")).error(code);
        assert!(!message.contains('\u{1b}'), "{message}");
        assert_eq!(folder.names(), before, "{code}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let nobody = listener.local_addr().expect("address");
    drop(listener);
    folder.run(&format!("filter sharpen photo.slt --out there.slt --server http://{nobody}")).error("unreachable");
    assert_eq!(folder.names(), before);
}
