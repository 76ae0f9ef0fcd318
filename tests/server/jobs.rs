//! The job form.

use std::io::BufRead;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::client::{Request, call, get};
use crate::house::{Server, until};
use crate::images::{Image, KEY, expected};

/// Starts a job and returns its address.
pub(crate) fn post(to: SocketAddr, target: &str, body: &[u8]) -> String {
    let answer = call(to, "POST", target, &[("Prefer", "respond-async")], body);
    assert_eq!((answer.status, answer.header("preference-applied")), (202, "respond-async"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.json()["state"].is_string());
    let location = answer.header("location").to_owned();
    let id = location.strip_prefix("/v1/jobs/").expect("an address of a job");
    assert!(id.len() >= 22 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{id}");
    location
}

/// The width of a slot that 225 samples fit into, each multiplied by up to [`SLOW_WEIGHT`].
const SLOW_BITS: u8 = 28;
const SLOW_WEIGHT: usize = 4001;

/// Starts a job that takes long enough for other tests on any machine, and waits until it runs. Large weights without a
/// pattern make it slow: two cores of 2025 need about a minute.
pub(crate) fn occupy(to: SocketAddr) -> String {
    static IMAGE: LazyLock<Vec<u8>> =
        LazyLock::new(|| Image::with_slots(Arc::clone(&KEY), (800, 800), 3, 7, SLOW_BITS, 1).bytes());
    let weight = |i: usize, j: usize| (1 + (7919 * i + 104_729 * j + 5 * i * j) % SLOW_WEIGHT).to_string();
    let row = |i| (0..15).map(|j| weight(i, j)).collect::<Vec<_>>().join(",");
    let weights = (0..15).map(row).collect::<Vec<_>>().join(";");
    let job = post(to, &format!("/v1/filters/kernel?weights={weights}"), &IMAGE);
    until("the job runs", || get(to, &job).json()["done"].as_u64() > Some(0));
    let left = get(to, &job).json();
    assert_eq!(left["state"], "running", "the image is too small for this test: {left}");
    job
}

/// Waits for a job's end and returns its last status.
pub(crate) fn wait(to: SocketAddr, job: &str) -> serde_json::Value {
    let mut status = serde_json::Value::Null;
    until("the job ends", || {
        status = get(to, job).json();
        status["state"] == "done" || status["state"] == "failed"
    });
    status
}

/// Reads a job's events to their end.
fn events(to: SocketAddr, job: &str) -> Vec<(String, serde_json::Value)> {
    let (status, headers, reader) = Request::open(to, "GET", &format!("{job}/events"), &[]).head();
    assert_eq!(status, 200);
    assert!(headers.contains(&("content-type".into(), "text/event-stream".into())), "{headers:?}");
    let (mut events, mut name) = (Vec::new(), String::new());
    for line in reader.lines().map(|line| line.expect("text")) {
        if let Some(text) = line.strip_prefix("event: ") {
            text.clone_into(&mut name);
        } else if let Some(text) = line.strip_prefix("data: ") {
            events.push((name.clone(), serde_json::from_str(text).expect("JSON")));
        }
    }
    events
}

#[test]
fn a_job_is_watched_fetched_and_deleted() {
    let server = Server::start(|_| ());
    let image = Image::new(50, 50, 3, 1).bytes();
    let job = post(server.at, "/v1/filters/mean?radius=1", &image);

    let events = events(server.at, &job);
    let (last, before) = events.split_last().expect("events");
    assert_eq!(last.0, "done");
    assert!(!before.is_empty() && before.iter().all(|(name, _)| name == "progress"), "{events:?}");
    let status = wait(server.at, &job);
    assert_eq!(last.1, status);
    assert_eq!(status["done"], status["total"]);
    assert!(status["total"].as_u64().is_some_and(|total| total > 0) && status["error"].is_null(), "{status}");

    for _ in 0..2 {
        let result = get(server.at, &format!("{job}/result"));
        assert_eq!((result.status, result.header("content-type")), (200, "application/vnd.safelight"));
        assert_eq!(result.header("cache-control"), "no-store");
        assert_eq!(Ok(result.body), expected("mean", &[("radius", "1")], &image));
    }
    assert_eq!(call(server.at, "DELETE", &job, &[], b"").status, 204);
    let gone = get(server.at, &job);
    let never = get(server.at, "/v1/jobs/AAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!((gone.status, gone.problem(), &gone.body), (404, "job_not_found".into(), &never.body));
    assert_eq!(call(server.at, "DELETE", &job, &[], b"").problem(), "job_not_found");
}

#[test]
fn a_failed_job_says_why() {
    let server = Server::start(|_| ());
    let mut damaged = Image::new(40, 30, 1, 1).bytes();
    let end = damaged.len() - 10;
    damaged[end] ^= 1;
    let job = post(server.at, "/v1/filters/mean", &damaged);
    let events = events(server.at, &job);
    let (name, problem) = events.last().expect("events");
    assert_eq!((name.as_str(), &problem["code"], &problem["status"]), ("failed", &"damaged".into(), &400.into()));
    assert_eq!(wait(server.at, &job)["error"], *problem);
    // Data whose first bytes are wrong do not become a job.
    let photo = b"\x89PNG\r\n\x1a\n and more than sixteen bytes";
    let refused = call(server.at, "POST", "/v1/filters/mean", &[("Prefer", "respond-async")], photo);
    assert_eq!((refused.status, refused.problem().as_str()), (415, "not_safelight"));
}

#[test]
fn ids_do_not_repeat() {
    let server = Server::start(|_| ());
    let image = Image::new(2, 2, 1, 1).bytes();
    let jobs: std::collections::HashSet<_> =
        (0..10).map(|_| post(server.at, "/v1/filters/brightness?offset=1", &image)).collect();
    assert_eq!(jobs.len(), 10);
}

#[test]
fn a_result_expires() {
    let server = Server::start(|config| config.limits.keep_results = Duration::from_millis(300));
    let job = post(server.at, "/v1/filters/mean", &Image::new(5, 5, 1, 1).bytes());
    assert_eq!(wait(server.at, &job)["state"], "done");
    until("the job expires", || get(server.at, &job).status == 404);
    assert_eq!(get(server.at, &format!("{job}/result")).problem(), "job_not_found");
}

#[test]
fn a_waiting_job_can_be_watched_and_cancelled() {
    let server = Server::start(|config| config.limits.running = 1);
    let image = Image::new(10, 10, 1, 1).bytes();
    // Another job occupies the only slot.
    let first = occupy(server.at);
    let job = post(server.at, "/v1/filters/mean", &image);
    assert_eq!(get(server.at, &job).json()["state"], "waiting");
    assert_eq!(get(server.at, &format!("{job}/result")).problem(), "job_not_finished");
    let watcher = std::thread::spawn({
        let (at, job) = (server.at, job.clone());
        move || events(at, &job)
    });
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(call(server.at, "DELETE", &job, &[], b"").status, 204);
    let (name, problem) = watcher.join().expect("no panic").pop().expect("events");
    assert_eq!((name.as_str(), &problem["code"]), ("failed", &"cancelled".into()));
    assert_eq!(get(server.at, &first).json()["state"], "running");
    assert_eq!(call(server.at, "DELETE", &first, &[], b"").status, 204);
}

#[test]
fn deleting_a_running_job_stops_it() {
    let server = Server::start(|config| config.limits.running = 1);
    let job = occupy(server.at);
    assert_eq!(call(server.at, "DELETE", &job, &[], b"").status, 204);
    assert_eq!(get(server.at, &job).status, 404);
    // The slot is free again long before the work could have been finished.
    let small = Image::new(3, 3, 1, 1).bytes();
    assert_eq!(Ok(crate::client::post(server.at, "/v1/filters/mean", &small).body), expected("mean", &[], &small));
}

#[test]
fn a_download_that_broke_off_goes_on() {
    let server = Server::start(|_| ());
    let image = Image::new(300, 200, 3, 1).bytes();
    let job = post(server.at, "/v1/filters/mean", &image);
    assert_eq!(wait(server.at, &job)["state"], "done");
    let target = format!("{job}/result");
    let ranged = |headers: &[(&str, &str)]| call(server.at, "GET", &target, headers, b"");

    let head = call(server.at, "HEAD", &target, &[], b"");
    let whole = get(server.at, &target);
    let length = whole.body.len();
    assert_eq!((head.status, head.header("content-length")), (200, length.to_string().as_str()));
    assert_eq!((head.header("accept-ranges"), head.header("etag")), ("bytes", whole.header("etag")));
    let tag = whole.header("etag");
    assert!(tag.len() > 20 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");

    for (range, from, to) in [("bytes=0-99", 0, 100), ("bytes=1000-", 1000, length), ("bytes=-7", length - 7, length)] {
        let part = ranged(&[("Range", range), ("If-Range", tag)]);
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {from}-{}/{length}", to - 1));
        assert_eq!((part.header("etag"), part.header("content-type")), (tag, "application/vnd.safelight"));
        assert!(part.body == whole.body[from..to], "{range}");
    }
    // The rest of another result is not sent.
    let other = ranged(&[("Range", "bytes=1000-"), ("If-Range", "\"another\"")]);
    assert!(other.status == 200 && other.body == whole.body);
    assert_eq!(ranged(&[("Range", "bytes=0-1,5-6")]).status, 200);
    let outside = ranged(&[("Range", "bytes=99999999999-")]);
    assert_eq!((outside.status, outside.problem().as_str()), (416, "range_not_satisfiable"));
    assert_eq!(outside.header("content-range"), format!("bytes */{length}"));
}

#[test]
fn the_oldest_job_whose_result_was_fetched_makes_room() {
    let server = Server::start(|config| config.limits.client.jobs = 2);
    let image = Image::new(5, 5, 1, 1).bytes();
    let [first, second] = [(), ()].map(|()| post(server.at, "/v1/filters/mean", &image));
    for job in [&first, &second] {
        assert_eq!(wait(server.at, job)["state"], "done");
    }
    let refused = call(server.at, "POST", "/v1/filters/mean", &[("Prefer", "respond-async")], &image);
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota_exceeded"));
    let after: u32 = refused.header("retry-after").parse().expect("seconds");
    assert!((500..=600).contains(&after), "results are kept for ten minutes: {after}");
    // A result that was only inspected stays.
    assert_eq!(call(server.at, "HEAD", &format!("{first}/result"), &[], b"").status, 200);
    assert_eq!(get(server.at, &format!("{second}/result")).status, 200);
    until("the server has seen that it was fetched", || {
        call(server.at, "POST", "/v1/filters/mean", &[("Prefer", "respond-async")], &image).status == 202
    });
    assert_eq!(get(server.at, &second).problem(), "job_not_found");
    assert_eq!(get(server.at, &first).status, 200);
}
