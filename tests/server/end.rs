//! The end of the server, its log and its memory.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::{Request, call, get, post};
use crate::house::{Process, Server, until};
use crate::images::{Image, expected};
use crate::jobs;

const MEAN: &str = "/v1/filters/mean";

#[test]
fn running_work_is_finished_and_its_result_can_be_fetched() {
    let mut server = Server::start(|config| {
        config.drain = Duration::from_mins(1);
        config.limits.running = 1;
    });
    let image = Image::new(10, 10, 1, 1).bytes();
    let length = image.len().to_string();
    let long = jobs::occupy(server.at);
    let waiting = jobs::post(server.at, MEAN, &image);
    let mut arriving = Request::open(server.at, "POST", MEAN, &[("Content-Length", &length)]);
    arriving.send(&image[..100]);
    std::thread::sleep(Duration::from_millis(100));

    server.tell_to_stop();
    until("the server drains", || get(server.at, "/v1/health").json()["status"] == "draining");
    assert_eq!(get(server.at, "/v1/health").status, 503);
    let refused = post(server.at, MEAN, &image);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "shutting_down"));
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u32>().expect("seconds")), "{refused:?}");
    assert_eq!(get(server.at, &waiting).json()["state"], "waiting");

    arriving.send(&image[100..]);
    assert_eq!(call(server.at, "DELETE", &long, &[], b"").status, 204);
    let result = expected("mean", &[], &image);
    assert_eq!(Ok(arriving.answer().body), result);
    assert_eq!(jobs::wait(server.at, &waiting)["state"], "done");
    assert_eq!(Ok(get(server.at, &format!("{waiting}/result")).body), result);

    let (at, start) = (server.at, Instant::now());
    server.join();
    assert!(start.elapsed() < Duration::from_secs(30), "nothing was left to wait for");
    assert!(TcpStream::connect(at).is_err());
}

#[test]
fn results_that_nobody_fetches_do_not_hold_the_server_for_ever() {
    let mut server = Server::start(|_| ());
    let job = jobs::post(server.at, MEAN, &Image::new(5, 5, 1, 1).bytes());
    assert_eq!(jobs::wait(server.at, &job)["state"], "done");
    // An idle connection does not delay it either.
    let _idle = TcpStream::connect(server.at).expect("accepted");
    server.tell_to_stop();
    server.join();
}

#[cfg(unix)]
#[test]
fn a_signal_stops_the_process_gently_and_the_log_names_nobody() {
    let process = Process::start();
    let image = Image::new(10, 10, 1, 1).bytes();
    let job = jobs::post(process.at, "/v1/filters/mean?size=3x1", &image);
    assert_eq!(jobs::wait(process.at, &job)["state"], "done");
    assert_eq!(get(process.at, &format!("{job}/result")).status, 200);
    assert_eq!(post(process.at, MEAN, b"not an image, not at all").problem(), "not_safelight");
    get(process.at, "/photo-of-my-cat.png?name=felix");
    process.signal("TERM");
    let (good, log) = process.end();
    assert!(good, "{log}");
    for expected in ["/v1/filters/{name}", "/v1/jobs/{id}/result", "not_safelight", "status=202", "page", "stopped"] {
        assert!(log.contains(expected), "{expected} is missing in the log:\n{log}");
    }
    let id = job.strip_prefix("/v1/jobs/").expect("an address of a job");
    for secret in [id, "3x1", "cat", "felix"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_stops_at_once() {
    let process = Process::start();
    let mut request = Request::open(process.at, "POST", MEAN, &[("Content-Length", "1000")]);
    request.send(&Image::new(10, 10, 1, 1).header[..100]);
    std::thread::sleep(Duration::from_millis(100));
    process.interrupt();
    until("the server drains", || get(process.at, "/v1/health").json()["status"] == "draining");
    let start = Instant::now();
    process.interrupt();
    let (good, log) = process.end();
    assert!(!good && start.elapsed() < Duration::from_secs(10), "{log}");
}

#[cfg(unix)]
#[test]
fn a_stop_has_an_end_whatever_clients_do() {
    let process = Process::start_with(5, None);
    let image = Image::new(100, 100, 1, 1).bytes();
    let length = image.len().to_string();
    // Uploads that never end, long work, a result that is never fetched, and a header that never ends.
    let mut slow: Vec<_> = [vec![], vec![("Prefer", "respond-async")]]
        .iter()
        .map(|headers| {
            Request::open(process.at, "POST", MEAN, &[&headers[..], &[("Content-Length", &length)]].concat())
        })
        .collect();
    for request in &mut slow {
        request.send(&image[..1000]);
    }
    let done = jobs::post(process.at, MEAN, &image);
    assert_eq!(jobs::wait(process.at, &done)["state"], "done");
    let _long = jobs::occupy(process.at);
    let mut half = TcpStream::connect(process.at).expect("accepted");
    std::io::Write::write_all(&mut half, b"GET /v1/health HTTP/1.1\r\nHost:").expect("sent");

    let start = Instant::now();
    process.signal("TERM");
    until("the server drains", || get(process.at, "/v1/health").status == 503);
    let (good, log) = process.end();
    // Without a limit, it would take an hour.
    assert!(good && start.elapsed() < Duration::from_secs(40), "{log}");
    assert!(log.contains("cut off"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_request_that_waits_at_the_end_is_told_so() {
    let process = Process::start_with(2, None);
    let image = Image::new(10, 10, 1, 1).bytes();
    let _running: Vec<_> = (0..num_running()).map(|_| jobs::occupy(process.at)).collect();
    let length = image.len().to_string();
    let open = |headers: &[(&str, &str)]| {
        Request::open(process.at, "POST", MEAN, &[headers, &[("Content-Length", length.as_str())]].concat())
    };
    let (mut waiting, mut arriving) = (open(&[]), open(&[("Prefer", "respond-async")]));
    waiting.send(&image);
    arriving.send(&image[..50]);
    std::thread::sleep(Duration::from_millis(300));
    process.signal("TERM");
    for request in [waiting, arriving] {
        let answer = request.answer();
        assert_eq!((answer.status, answer.problem().as_str()), (503, "shutting_down"), "{answer:?}");
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer:?}");
    }
    let (good, log) = process.end();
    assert!(good && log.contains("status=503 code=\"shutting_down\"") && !log.contains("client_gone"), "{log}");
}

/// The number of pieces of work that a server runs at the same time.
#[cfg(unix)]
fn num_running() -> usize {
    safelight::server::Limits::default().running
}

#[cfg(unix)]
#[test]
fn an_idle_server_that_stops_says_only_what_is_true() {
    let process = Process::start_with(1, None);
    let job = jobs::post(process.at, MEAN, &Image::new(5, 5, 1, 1).bytes());
    assert_eq!(jobs::wait(process.at, &job)["state"], "done");
    process.signal("TERM");
    let (good, log) = process.end();
    assert!(good && log.contains("unfetched results are lost") && log.contains("unfetched=1"), "{log}");
    assert!(!log.contains("cut off") && !log.contains("work=0"), "{log}");
}

#[cfg(unix)]
#[test]
fn answers_that_were_not_taken_and_pieces_of_uploads_are_logged_as_such() {
    let process = Process::start_with(1, None);
    call(process.at, "PATCH", "/v1/keys/none", &[("Upload-Offset", "0")], b"x");
    let job = jobs::post(process.at, MEAN, &Image::new(1500, 1500, 3, 1).bytes());
    assert_eq!(jobs::wait(process.at, &job)["state"], "done");
    let (status, _, body) = Request::open(process.at, "GET", &format!("{job}/result"), &[]).head();
    assert_eq!(status, 200);
    drop(body);
    assert_eq!(get(process.at, &format!("{job}/result")).status, 200);
    call(process.at, "HEAD", &format!("{job}/result"), &[], b"");
    process.signal("TERM");
    let (good, log) = process.end();
    assert!(good, "{log}");
    let results: Vec<_> = log.lines().filter(|line| line.contains("/result")).collect();
    assert_eq!(results.iter().filter(|line| line.contains("code=\"cut_short\"")).count(), 1, "{log}");
    assert_eq!(results.iter().filter(|line| line.contains("code=\"ok\"")).count(), 2, "{log}");
    assert!(log.contains("method=\"PATCH\""), "{log}");
}

#[cfg(unix)]
#[test]
fn a_hangup_reads_the_models_again_and_ends_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start_with(2, Some(folder.path()));
    assert_eq!(get(process.at, "/v1").json()["models"], serde_json::json!([]));
    let models = || get(process.at, "/v1").json()["models"].as_array().map(Vec::len);
    std::fs::write(folder.path().join("stripes.model"), crate::models::file()).expect("written");
    process.signal("HUP");
    until("the model is there", || models() == Some(1));
    // If a file cannot be read, nothing changes.
    std::fs::write(folder.path().join("broken.model"), b"broken").expect("written");
    process.signal("HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(models(), Some(1));
    process.signal("TERM");
    let (good, log) = process.end();
    assert!(good && log.contains("reloaded") && log.contains("the old ones stay"), "{log}");
}

/// The peak memory of a process in bytes.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn four_megapixels_in_colour_need_little_memory() {
    let image = Image::new(2400, 1700, 3, 1).bytes();
    let process = Process::start();
    let answer = post(process.at, MEAN, &image);
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = jobs::post(process.at, MEAN, &image);
    assert_eq!(jobs::wait(process.at, &job)["state"], "done");
    assert!(get(process.at, &format!("{job}/result")).body == answer.body);
    let peak = peak_memory(process.child.id());
    println!("{} bytes of upload, {} bytes of answer, {peak} bytes of memory", image.len(), answer.body.len());
    assert!(peak < 512 << 20, "{peak}");
    process.signal("TERM");
    assert!(process.end().0);
}
