//! The effects of one client on others: slow uploads, half-sent headers, announcements, many models and jobs. In the meantime,
//! a polite client is served. The tests compare no times; the waits only end a test that would hang.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::client::{Request, call, call_from, connect_from, get, post};
use crate::house::{Server, until};
use crate::images::{Image, expected};
use crate::jobs;

const MEAN: &str = "/v1/filters/mean";
const ASYNC: (&str, &str) = ("Prefer", "respond-async");
const GREEDY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const POLITE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Runs a job and a request in the direct form, from the same address as the attack and from another one.
fn others_are_served(server: &Server) {
    let image = Image::new(10, 10, 1, 1).bytes();
    let result = expected("mean", &[], &image);
    assert_eq!(get(server.at, "/v1/health").status, 200);
    let job = jobs::post(server.at, MEAN, &image);
    assert_eq!(jobs::wait(server.at, &job)["state"], "done");
    assert_eq!(Ok(get(server.at, &format!("{job}/result")).body), result);
    assert_eq!(call_from(POLITE, server.at, "POST", MEAN, &[], &image).body, result.expect("a result"));
}

#[test]
fn eighteen_silent_uploads_hold_nobody_up() {
    let server = Server::start(|_| ());
    let image = Image::new(100, 100, 1, 1).bytes();
    let length = image.len().to_string();
    let mut uploads: Vec<_> = (0..18)
        .map(|number| {
            let form: &[_] = if number % 2 == 0 { &[ASYNC] } else { &[] };
            Request::open(server.at, "POST", MEAN, &[form, &[("Content-Length", &length)]].concat())
        })
        .collect();
    others_are_served(&server);
    // A few bytes, and then silence again.
    for upload in &mut uploads {
        upload.send(&image[..2000]);
    }
    others_are_served(&server);
    // Such an upload is as good as any other if the rest arrives.
    let mut last = uploads.pop().expect("eighteen");
    last.send(&image[2000..]);
    assert_eq!(last.answer().status, 200);
}

#[test]
fn uploads_that_drip_end_as_stalled() {
    let server = Server::start(|config| config.limits.stall = Duration::from_secs(1));
    let image = Image::new(100, 100, 1, 1).bytes();
    // Fast enough for a short upload, and too slow for the announced length.
    let drip = |length: String| {
        let mut upload = Request::open(server.at, "POST", MEAN, &[("Content-Length", &length)]);
        for piece in image[..image.len() / 4 * 3].chunks(1500) {
            if upload.try_send(piece).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        upload
    };
    let mut short = drip(image.len().to_string());
    short.send(&image[image.len() / 4 * 3..]);
    assert_eq!(short.answer().status, 200);
    let long = Image::new(3000, 3000, 1, 1);
    let mut upload =
        Request::open(server.at, "POST", MEAN, &[("Content-Length", &long.frames.total_bytes().to_string())]);
    upload.send(&long.header);
    for _ in 0..40 {
        if upload.try_send(&[0; 1500]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    let answer = upload.answer();
    assert_eq!((answer.status, answer.problem().as_str()), (408, "stalled"));
}

#[test]
fn one_client_has_a_share_of_the_uploads() {
    let server = Server::start(|config| (config.limits.uploads, config.limits.client.uploads) = (8, 4));
    let image = Image::new(10, 10, 1, 1).bytes();
    let begin = |from| {
        let headers = [("Content-Length", "100000"), ASYNC];
        let mut upload = Request::over(connect_from(from, server.at), server.at, "POST", MEAN, &headers);
        let _ = upload.try_send(&image[..10]);
        upload
    };
    // Each probing call holds a slot for a moment. One of the lasting uploads may be refused meanwhile, so more follow.
    let mut held = Vec::new();
    until("the share is used up", || {
        held.push(begin(GREEDY));
        let refused = call_from(GREEDY, server.at, "POST", MEAN, &[], &image);
        let full = refused.status == 429;
        assert!(
            !full || (refused.problem() == "quota_exceeded" && refused.header("retry-after").parse::<u32>().is_ok())
        );
        full
    });
    others_are_served(&server);
    // There is also a limit for all clients together, with its own code.
    until("all is used up", || {
        held.push(begin(Ipv4Addr::new(127, 0, 0, 4)));
        call_from(POLITE, server.at, "POST", MEAN, &[], &image).status == 503
    });
    held.clear();
    until("there is room again", || call_from(POLITE, server.at, "POST", MEAN, &[], &image).status == 200);
}

#[test]
fn six_hundred_half_sent_headers_leave_room() {
    let server = Server::start(|_| ());
    let half = |from| {
        let mut stream = connect_from(from, server.at);
        let _ = stream.write_all(b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
        stream
    };
    let held: Vec<TcpStream> = (0..600).map(|_| half(Ipv4Addr::LOCALHOST)).collect();
    others_are_served(&server);
    drop(held);
    // From many addresses, each within its share.
    let server = Server::start(|config| config.limits.connections = 50);
    let half = |number| {
        let mut stream = connect_from(Ipv4Addr::new(127, 0, 0, number), server.at);
        let _ = stream.write_all(b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
        stream
    };
    let held: Vec<TcpStream> = (0..200).map(|number| half(10 + number / 20)).collect();
    others_are_served(&server);
    drop(held);
}

#[test]
fn a_clients_busy_connections_have_a_limit() {
    let server = Server::start(|config| config.limits.client.connections = 3);
    let job = jobs::occupy(server.at);
    let watch = || {
        let target = format!("{job}/events");
        let (status, _, mut reader) =
            Request::over(connect_from(GREEDY, server.at), server.at, "GET", &target, &[]).head();
        assert_eq!(status, 200);
        reader.read_exact(&mut [0; 10]).expect("an event");
        reader
    };
    let _watchers = [(), (), ()].map(|()| watch());
    let refused = call_from(GREEDY, server.at, "GET", "/v1/health", &[], b"");
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota_exceeded"));
    assert_eq!(call_from(POLITE, server.at, "GET", "/v1/health", &[], b"").status, 200);
    assert_eq!(call(server.at, "DELETE", &job, &[], b"").status, 204);
}

#[test]
fn announced_keys_take_no_room() {
    let server = Server::start(|config| (config.limits.keys, config.limits.client.keys) = (6, 4));
    let begin = |from, length: u64| {
        call_from(from, server.at, "POST", "/v1/keys", &[("Upload-Length", &length.to_string())], b"")
    };
    // Everything that one client may announce, which is more than the disk holds.
    let greedy: Vec<_> = (0..4).map(|_| begin(GREEDY, 32 << 30)).collect();
    assert!(greedy.iter().all(|answer| answer.status == 201));
    assert_eq!(begin(GREEDY, 64 << 30).problem(), "too_large");
    assert_eq!(begin(POLITE, 32 << 30).status, 201);
    // A fifth announcement removes the oldest, for which nothing has arrived.
    assert_eq!(begin(GREEDY, 1000).status, 201);
    assert_eq!(get(server.at, greedy[0].header("location")).status, 404);
    assert_eq!(get(server.at, greedy[1].header("location")).status, 200);
}

#[test]
fn keys_that_arrive_use_up_a_share() {
    let keys = crate::keys::keys();
    let server = Server::start(|config| {
        (config.limits.client.keys, config.limits.client.key_bytes) = (2, keys.len() as u64 + 100_000);
    });
    let begin = || call(server.at, "POST", "/v1/keys", &[("Upload-Length", &keys.len().to_string())], b"");
    let append = |at: &str, bytes| call(server.at, "PATCH", at, &[("Upload-Offset", "0")], bytes);
    let [first, second] = [begin(), begin()].map(|answer| answer.header("location").to_owned());
    // Too much of the first set has arrived for it to be removed, and the second no longer fits completely.
    assert_eq!(append(&first, &keys[..keys.len() - 1]).status, 200);
    let refused = append(&second, &keys);
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota_exceeded"));
    // The received data stay, and the offset to continue at is known.
    assert_eq!(get(server.at, &second).json()["state"], "uploading");
    assert_eq!(begin().problem(), "quota_exceeded");
    assert_eq!(call(server.at, "DELETE", &first, &[], b"").status, 204);
    let at = get(server.at, &second).json()["offset"].as_u64().expect("a number");
    let rest = &keys[usize::try_from(at).expect("small")..];
    let answer = call(server.at, "PATCH", &second, &[("Upload-Offset", &at.to_string())], rest);
    assert_eq!(answer.json()["state"], "ready");
}

#[test]
fn empty_uploads_of_keys_are_short_lived() {
    let server = Server::start(|config| config.limits.keep_empty = Duration::from_millis(300));
    let begun = call(server.at, "POST", "/v1/keys", &[("Upload-Length", "1000")], b"");
    let location = begun.header("location").to_owned();
    until("it is forgotten", || get(server.at, &location).status == 404);
}

#[test]
fn turns_go_round_among_clients() {
    let server = Server::start(|config| (config.limits.running, config.limits.client.waiting) = (1, 5));
    let image = Image::new(10, 10, 1, 1).bytes();
    let first = jobs::occupy(server.at);
    let start = |from| call_from(from, server.at, "POST", MEAN, &[ASYNC], &image);
    let greedy: Vec<_> = (0..5).map(|_| start(GREEDY)).collect();
    assert!(greedy.iter().all(|answer| answer.status == 202));
    let refused = start(GREEDY);
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota_exceeded"));
    let polite = start(POLITE);
    assert_eq!(polite.status, 202);
    assert_eq!(call(server.at, "DELETE", &first, &[], b"").status, 204);
    assert_eq!(jobs::wait(server.at, polite.header("location"))["state"], "done");
}

#[test]
fn clients_behind_a_proxy_are_told_apart_if_the_proxy_is_trusted() {
    let image = Image::new(10, 10, 1, 1).bytes();
    let start = |server: &Server, client: &str| {
        call(server.at, "POST", MEAN, &[ASYNC, ("X-Forwarded-For", client)], &image).status
    };
    let server = Server::start(|config| {
        config.limits.client.jobs = 1;
        config.trusted_proxies = vec!["127.0.0.1".into()];
    });
    assert_eq!(start(&server, "198.51.100.1"), 202);
    assert_eq!(start(&server, "198.51.100.1"), 429);
    assert_eq!(start(&server, "203.0.113.9, 198.51.100.1"), 429, "what the client wrote itself does not count");
    assert_eq!(start(&server, "198.51.100.2"), 202);
    assert_eq!(start(&server, "2001:db8:1:2::1"), 202);
    assert_eq!(start(&server, "2001:db8:1:2:ffff::1"), 429, "one network of 64 bits is one client");
    // The header is not trusted from any other address.
    let server = Server::start(|config| config.limits.client.jobs = 1);
    assert_eq!(start(&server, "198.51.100.1"), 202);
    assert_eq!(start(&server, "198.51.100.2"), 429);
}

#[test]
fn a_greedy_client_with_sixty_four_models_leaves_room() {
    let server = Server::start(|_| ());
    let model = crate::models::file();
    let create = |from| {
        let content = [("Content-Type", safelight::wire::MEDIA_TYPE)];
        call_from(from, server.at, "POST", "/v1/models", &content, &model).status
    };
    let answers: Vec<_> = (0..64).map(|_| create(GREEDY)).collect();
    assert!(answers.contains(&201) && answers.contains(&429), "{answers:?}");
    assert_eq!(create(POLITE), 201);
    others_are_served(&server);
    assert_eq!(post(server.at, MEAN, &Image::new(5, 5, 1, 1).bytes()).status, 200);
}
