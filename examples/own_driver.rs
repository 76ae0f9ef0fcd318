//! Drives the client of a server over plain sockets: `safelight::remote` knows the protocol and does no input or output itself,
//! so it works with any HTTP library, or with none.
//!
//! ```sh
//! safelight serve --listen 127.0.0.1:8080 &
//! cargo run --release --example own_driver -- 127.0.0.1:8080
//! ```
//!
//! Without an address, it only says what it would send first.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::sleep;

use safelight::error::{Code, Error, Result};
use safelight::math::random;
use safelight::photo::Photo;
use safelight::remote::{self, Answer, Body, Conversation, Request, Step};
use safelight::schemes::paillier::stream::encrypt_image;
use safelight::schemes::paillier::{Border, EncryptOptions, EncryptionKey, Filter, SecretKey};
use safelight::watch::NoWatch;

fn main() -> Result<()> {
    let key = Arc::new(SecretKey::generate(2048, &mut random::system())?);
    let photo = Photo::from_samples(8, 8, 1, (0..64).collect())?;
    let filter = Filter::from_text("mean radius=1")?;
    let options = EncryptOptions::for_filter(&filter, Border::Replicate)?;
    let mut image = Vec::new();
    encrypt_image(EncryptionKey::Owner(key), &photo, &options, &mut image, &NoWatch)?;

    let length = image.len() as u64;
    let mut conversation = remote::filter("mean", &[("radius".into(), "1".into())], length, 2 * length);
    if let Some(server) = std::env::args().nth(1) {
        println!("the result has {} bytes", drive(conversation, &server, &image)?.len());
    } else if let Step::Exchange(Request { method, path, .. }) = conversation.step() {
        println!("{method} {path}, with {length} bytes");
    }
    Ok(())
}

/// Holds a conversation to its end and returns its output.
fn drive(mut conversation: Conversation<()>, server: &str, input: &[u8]) -> Result<Vec<u8>> {
    let mut output = Vec::new();
    loop {
        match conversation.step() {
            Step::Done(outcome) => return outcome.map(|()| output),
            Step::Pause(time) => sleep(time),
            Step::Exchange(request) => {
                let keep = request.keep;
                let answer = exchange(server, request, input).map(|mut answer| {
                    if keep.is_output(answer.status) {
                        output = std::mem::take(&mut answer.body);
                    }
                    answer
                });
                conversation.answer(answer);
            }
        }
    }
}

/// One request and its answer, each over a connection of its own.
fn exchange(server: &str, request: Request, input: &[u8]) -> Result<Answer> {
    let unreachable = |error: std::io::Error| Error::new(Code::Unreachable, error.to_string());
    let body = match request.body {
        Body::Input(range) => {
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            input.get(place(range.start)..place(range.end)).unwrap_or_default()
        }
        Body::Empty | Body::Form(_) => &[],
    };
    let mut stream = TcpStream::connect(server).map_err(unreachable)?;
    let mut send = || {
        write!(stream, "{} /{} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n", request.method, request.path)?;
        for (name, value) in &request.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        write!(stream, "Content-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(body)
    };
    send().map_err(unreachable)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map_err(unreachable)?;
    parse(&bytes).ok_or_else(|| Error::new(Code::BadAnswer, "the answer is not valid HTTP"))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let field = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        location: field("location"),
        offset: field("upload-offset").and_then(|number| number.parse().ok()),
        retry_after: field("retry-after").and_then(|number| number.parse().ok()),
        body: bytes[end + 4..].to_vec(),
    })
}
