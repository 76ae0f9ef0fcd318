//! The server's limits, and its answers beyond them.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use crate::client::{Request, call, get, post};
use crate::house::{Server, until};
use crate::images::{Image, expected};
use crate::jobs;

const MEAN: &str = "/v1/filters/mean";
const ASYNC: (&str, &str) = ("Prefer", "respond-async");

/// Starts an upload, sends its first half and waits until the server reads it.
fn half(server: &Server, image: &[u8]) -> Request {
    let length = image.len().to_string();
    let mut request = Request::open(server.at, "POST", MEAN, &[("Content-Length", &length)]);
    request.send(&image[..image.len() / 2]);
    std::thread::sleep(Duration::from_millis(100));
    request
}

#[test]
fn bodies_are_limited_early_by_their_length_and_late_by_their_bytes() {
    let image = Image::new(90, 90, 3, 1).bytes();
    let most = image.len();
    let server = Server::start(|config| config.limits.image.max_bytes = most as u64);
    let length = (most + 1).to_string();
    // Refused by the announced length, before a byte of the body is sent.
    for headers in [
        vec![("Content-Length", length.as_str()), ("Expect", "100-continue")],
        vec![("Content-Length", &length), ASYNC],
    ] {
        let answer = Request::open(server.at, "POST", MEAN, &headers).answer();
        assert_eq!((answer.status, answer.problem().as_str()), (413, "too_large"));
        assert_eq!(answer.header("connection"), "close");
    }
    // Without a length, refused while the body arrives. The job form does the same.
    let long = [image.clone(), vec![0; 100_000]].concat();
    for headers in [vec![("Transfer-Encoding", "chunked")], vec![("Transfer-Encoding", "chunked"), ASYNC]] {
        let mut request = Request::open(server.at, "POST", MEAN, &headers);
        for piece in long.chunks(10_000) {
            if request.send_chunk(piece).is_err() {
                break;
            }
        }
        assert_eq!(request.answer().problem(), "too_large");
    }
    // A filter of two images accepts twice as much.
    let both = [image.clone(), image.clone()].concat();
    assert_eq!(post(server.at, MEAN, &image).status, 200);
    assert_eq!(post(server.at, "/v1/filters/blend", &both).status, 200);
    assert_eq!(post(server.at, MEAN, &both).problem(), "too_large");
}

#[test]
fn pixels_and_ciphertexts_are_limited() {
    let image = Image::new(100, 50, 1, 1);
    let server = Server::start(|config| config.limits.image.max_pixels = 4999);
    assert_eq!(post(server.at, MEAN, &image.bytes()).problem(), "too_large");
    let ciphertexts = image.frames.head.ciphertexts();
    let server = Server::start(|config| config.limits.image.max_ciphertexts = ciphertexts - 1);
    assert_eq!(post(server.at, MEAN, &image.bytes()).problem(), "too_large");
    let server = Server::start(|config| config.limits.image.max_ciphertexts = ciphertexts);
    assert_eq!(post(server.at, MEAN, &image.bytes()).status, 200);
}

#[test]
fn slow_uploads_are_given_up() {
    let image = Image::new(10, 10, 1, 1).bytes();
    let server = Server::start(|config| config.limits.stall = Duration::from_millis(300));
    let answer = half(&server, &image).answer();
    assert_eq!((answer.status, answer.problem().as_str()), (408, "stalled"));
    let length = image.len().to_string();
    let request = Request::open(server.at, "POST", MEAN, &[("Content-Length", &length), ASYNC]);
    assert_eq!(request.answer().problem(), "stalled");
}

#[test]
fn the_time_limit_ends_the_work() {
    let image = Image::new(10, 10, 1, 1).bytes();
    let server = Server::start(|config| config.limits.time = Duration::from_millis(300));
    // The time limit starts with the work; a slow upload has its own limits.
    let mut slow = half(&server, &image);
    std::thread::sleep(Duration::from_millis(500));
    slow.send(&image[image.len() / 2..]);
    assert_eq!(slow.answer().status, 200);

    let server = Server::start(|config| config.limits.time = Duration::from_millis(1));
    let large = Image::new(900, 900, 3, 1).bytes();
    let answer = post(server.at, MEAN, &large);
    assert_eq!((answer.status, answer.problem().as_str()), (503, "time_limit"));
    let job = jobs::post(server.at, MEAN, &large);
    assert_eq!(jobs::wait(server.at, &job)["error"]["code"], "time_limit");
}

#[test]
fn a_full_house_says_so_and_serves_those_inside() {
    let server = Server::start(|config| (config.limits.running, config.limits.waiting) = (1, 1));
    let image = Image::new(10, 10, 1, 1).bytes();
    let running = jobs::occupy(server.at);
    let waiting = jobs::post(server.at, MEAN, &image);
    for headers in [vec![], vec![ASYNC]] {
        let answer = call(server.at, "POST", MEAN, &headers, &image);
        assert_eq!((answer.status, answer.problem().as_str()), (503, "too_busy"));
        assert!(answer.header("retry-after").parse::<u32>().is_ok());
    }
    // All other requests are still answered.
    assert_eq!(get(server.at, "/v1/health").status, 200);
    assert_eq!(get(server.at, &running).json()["state"], "running");
    assert_eq!(call(server.at, "DELETE", &running, &[], b"").status, 204);
    assert_eq!(jobs::wait(server.at, &waiting)["state"], "done");
    assert_eq!(Ok(get(server.at, &format!("{waiting}/result")).body), expected("mean", &[], &image));
    until("the places are free", || post(server.at, MEAN, &image).status == 200);
}

#[test]
fn a_client_that_leaves_makes_room() {
    let server = Server::start(|config| {
        (config.limits.running, config.limits.waiting, config.limits.uploads) = (1, 0, 1);
    });
    let image = Image::new(10, 10, 1, 1).bytes();
    for _ in 0..3 {
        let request = half(&server, &image);
        assert_eq!(post(server.at, MEAN, &image).problem(), "too_busy");
        drop(request);
        until("the place is free", || post(server.at, MEAN, &image).status == 200);
    }
    // A client that disconnects after its upload stops the work, too.
    let large = Image::new(900, 900, 3, 1).bytes();
    let length = large.len().to_string();
    let mut request = Request::open(server.at, "POST", MEAN, &[("Content-Length", &length)]);
    request.send(&large);
    drop(request);
    until("the place is free", || post(server.at, MEAN, &image).status == 200);
}

#[test]
fn jobs_and_their_bytes_are_limited() {
    let image = Image::new(10, 10, 1, 1).bytes();
    let server = Server::start(|config| config.limits.jobs = 1);
    let job = jobs::post(server.at, MEAN, &image);
    assert_eq!(call(server.at, "POST", MEAN, &[ASYNC], &image).problem(), "too_busy");
    assert_eq!(call(server.at, "DELETE", &job, &[], b"").status, 204);
    until("there is room", || call(server.at, "POST", MEAN, &[ASYNC], &image).status == 202);

    let server = Server::start(|config| config.limits.stored_bytes = image.len() as u64 * 3);
    let job = jobs::post(server.at, MEAN, &image);
    assert_eq!(jobs::wait(server.at, &job)["state"], "done");
    let huge = Image::new(100, 100, 1, 1).bytes();
    assert_eq!(call(server.at, "POST", MEAN, &[ASYNC], &huge).problem(), "too_busy");
    assert_eq!(get(server.at, &format!("{job}/result")).status, 200);
}

#[test]
fn endless_headers_are_refused() {
    let server = Server::start(|_| ());
    let long = "x".repeat(40_000);
    let (status, ..) = Request::open(server.at, "GET", "/v1", &[("X-Long", &long)]).head();
    assert_eq!(status, 431);
    let many: Vec<_> = (0..100).map(|i| (format!("X-{i}"), "1")).collect();
    let many: Vec<_> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let (status, ..) = Request::open(server.at, "GET", "/v1", &many).head();
    assert_eq!(status, 431);
}

#[test]
fn connections_are_limited_but_not_lost() {
    let server = Server::start(|config| config.limits.connections = 2);
    let idle = [TcpStream::connect(server.at), TcpStream::connect(server.at)].map(|c| c.expect("accepted"));
    // The third connection waits until one of the others is closed.
    let third = Request::open(server.at, "GET", "/v1/health", &[]);
    std::thread::sleep(Duration::from_millis(100));
    drop(idle);
    assert_eq!(third.answer().status, 200);
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    let server = Server::start(|config| {
        config.limits.stall = Duration::from_millis(300);
        (config.limits.running, config.limits.waiting) = (1, 0);
    });
    // Longer than the socket buffers on both sides.
    let image = Image::new(1500, 1500, 3, 1).bytes();
    let length = image.len().to_string();
    let mut request =
        Request::open(server.at, "POST", "/v1/filters/brightness?offset=1", &[("Content-Length", &length)]);
    request.send(&image);
    let (status, _, mut reader) = request.head();
    // A finished answer that is waiting for its client does not occupy a slot.
    let small = Image::new(3, 3, 1, 1).bytes();
    assert_eq!(post(server.at, MEAN, &small).status, 200);
    std::thread::sleep(Duration::from_secs(3));
    let mut taken = Vec::new();
    let _ = reader.read_to_end(&mut taken);
    assert!(status == 200 && taken.len() < image.len() / 2, "{status} {}", taken.len());
}
