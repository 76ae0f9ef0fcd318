//! Web pages of other origins, and foreign host names.

use std::net::SocketAddr;

use crate::client::{Answer, call, get};
use crate::house::Server;
use crate::images::Image;
use crate::jobs;

const EVIL: (&str, &str) = ("Origin", "https://evil.example");

/// Calls everything under `/v1` that does or shows something, with a valid body.
fn everything(to: SocketAddr, headers: &[(&str, &str)]) -> Vec<(&'static str, &'static str, Answer)> {
    let image = Image::new(5, 5, 1, 1).bytes();
    [
        ("GET", "/v1"),
        ("POST", "/v1/filters/mean"),
        ("POST", "/v1/models"),
        ("GET", "/v1/models/x"),
        ("GET", "/v1/models/x/file"),
        ("DELETE", "/v1/models/x"),
        ("POST", "/v1/classifiers/x"),
        ("POST", "/v1/keys"),
        ("PATCH", "/v1/keys/x"),
        ("HEAD", "/v1/keys/x"),
        ("GET", "/v1/keys/x"),
        ("DELETE", "/v1/keys/x"),
        ("GET", "/v1/jobs/x"),
        ("GET", "/v1/jobs/x/events"),
        ("GET", "/v1/jobs/x/result"),
        ("DELETE", "/v1/jobs/x"),
        ("GET", "/v1/nothing"),
    ]
    .into_iter()
    .map(|(method, target)| {
        let headers = [headers, &[("Upload-Length", "1000"), ("Upload-Offset", "0")]].concat();
        let body = if method == "POST" || method == "PATCH" { &image[..] } else { b"" };
        (method, target, call(to, method, target, &headers, body))
    })
    .collect()
}

fn all_refused(to: SocketAddr, headers: &[(&str, &str)], status: u16, code: &str, says: &str) {
    for (method, target, answer) in everything(to, headers) {
        assert_eq!(answer.status, status, "{method} {target} {headers:?}");
        if method != "HEAD" {
            assert_eq!(answer.problem(), code, "{method} {target} {headers:?}");
            assert!(answer.json()["detail"].as_str().expect("text").contains(says), "{answer:?}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[test]
fn no_page_of_another_origin_can_use_the_server() {
    let server = Server::start(|_| ());
    let at = server.at;
    // A simple request of CORS, which scripts and forms of other pages can send without a preflight.
    let simple =
        [EVIL, ("Content-Type", "text/plain"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")];
    all_refused(at, &simple, 403, "foreign_origin", "--allow-origin https://evil.example");
    all_refused(at, &[EVIL], 403, "foreign_origin", "--allow-origin https://evil.example");
    all_refused(at, &[("Origin", "null")], 403, "foreign_origin", "--allow-origin");
    // A page of another server on this machine.
    all_refused(at, &[("Origin", "http://127.0.0.1:1")], 403, "foreign_origin", "--allow-origin http://127.0.0.1:1");
    // Images, forms and frames of other pages have no origin.
    all_refused(
        at,
        &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")],
        403,
        "foreign_origin",
        "origin",
    );
    all_refused(at, &[("Sec-Fetch-Site", "same-site")], 403, "foreign_origin", "origin");
    let preflight = [EVIL, ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "prefer")];
    let answer = call(at, "OPTIONS", "/v1/filters/mean", &preflight, b"");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[test]
fn no_page_can_use_the_server_under_a_name_of_its_own() {
    let server = Server::start(|_| ());
    let at = server.at;
    let named = format!("evil.example:{}", at.port());
    let origin = format!("http://{named}");
    // For a browser, these requests have the same origin.
    let rebound = [("Host", named.as_str()), ("Origin", &origin), ("Sec-Fetch-Site", "same-origin")];
    all_refused(at, &rebound, 421, "foreign_host", "--host evil.example");
    all_refused(at, &[("Host", "127.0.0.1.evil.example")], 421, "foreign_host", "--host 127.0.0.1.evil.example");
    all_refused(at, &[("Host", "")], 421, "foreign_host", "Host");
    all_refused(at, &[("Host", "192.0.2.1")], 421, "foreign_host", "--host 192.0.2.1");
}

#[test]
fn probes_programs_and_the_own_page_are_served() {
    let server = Server::start(|_| ());
    let at = server.at;
    let image = Image::new(5, 5, 1, 1).bytes();
    let own = format!("http://{at}");
    for headers in [
        vec![],
        vec![("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")],
        vec![("Sec-Fetch-Mode", "cors")],
        vec![("Host", "localhost")],
        vec![("Host", "localhost:1234"), ("Origin", "http://localhost:1234")],
        vec![("Host", "[::1]:80")],
    ] {
        assert_eq!(call(at, "POST", "/v1/filters/mean", &headers, &image).status, 200, "{headers:?}");
    }
    // Links work, and a probe may use any name.
    let link = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")];
    assert_eq!(call(at, "GET", "/v1", &link, b"").status, 200);
    assert_eq!(call(at, "GET", "/v1/health", &[("Host", "10.0.0.7")], b"").status, 200);
}

#[test]
fn the_operator_names_hosts_and_origins() {
    let image = Image::new(5, 5, 1, 1).bytes();
    let server = Server::start(|config| {
        config.hosts = vec!["filters.example".into()];
        config.allow_origins = vec!["https://photos.example".into()];
    });
    let post = |headers: &[(&str, &str)]| call(server.at, "POST", "/v1/filters/mean", headers, &image).status;
    assert_eq!(post(&[("Host", "filters.example")]), 200);
    assert_eq!(post(&[("Host", "filters.example:8443"), ("Origin", "https://filters.example:8443")]), 200);
    let theirs = ("Origin", "https://photos.example");
    assert_eq!(post(&[("Host", "filters.example"), theirs, ("Sec-Fetch-Site", "cross-site")]), 200);
    assert_eq!(post(&[("Host", "photos.example"), theirs]), 200, "site and server behind one proxy");
    assert_eq!(post(&[("Host", "filters.example"), EVIL]), 403);
    assert_eq!(post(&[("Host", "evil.example")]), 421);

    let open = Server::start(|config| {
        config.hosts = vec!["*".into()];
        config.allow_origins = vec!["*".into()];
    });
    let headers = [("Host", "any.example"), EVIL, ("Prefer", "respond-async")];
    let job = call(open.at, "POST", "/v1/filters/mean", &headers, &image);
    assert_eq!((job.status, job.header("access-control-allow-origin")), (202, "*"));
    assert_eq!(jobs::wait(open.at, job.header("location"))["state"], "done");
}

#[test]
fn a_refused_page_has_changed_nothing() {
    let server = Server::start(|config| config.limits.keys = 1);
    let job = jobs::post(server.at, "/v1/filters/mean", &Image::new(5, 5, 1, 1).bytes());
    assert_eq!(jobs::wait(server.at, &job)["state"], "done");
    for method in ["DELETE", "GET"] {
        assert_eq!(call(server.at, method, &job, &[EVIL], b"").status, 403);
    }
    assert_eq!(get(server.at, &job).json()["state"], "done");
    assert_eq!(call(server.at, "POST", "/v1/keys", &[EVIL, ("Upload-Length", "5")], b"").status, 403);
    assert_eq!(call(server.at, "POST", "/v1/keys", &[("Upload-Length", "5")], b"").status, 201);
}
