//! Malformed requests, and requests for files that must stay private.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::client::{call, get};
use crate::house::Server;
use crate::images::Image;
use crate::jobs;

const MEAN: &str = "/v1/filters/mean";
const URLENCODED: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// The status line of the answer to exactly these bytes, and the whole answer.
fn raw(to: SocketAddr, bytes: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(to).expect("the server accepts");
    stream.write_all(bytes).expect("taken");
    let mut answer = Vec::new();
    // The server closes the connection after a refusal.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.lines().next().unwrap_or_default().to_owned(), answer)
}

#[test]
fn every_request_of_http_1_1_names_its_host() {
    let server = Server::start(|_| ());
    let (status, answer) = raw(server.at, b"GET /v1 HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(status.contains(" 400 ") && answer.contains("bad_argument") && answer.contains("Host"), "{answer}");
    let (status, _) = raw(server.at, b"GET /v1 HTTP/1.0\r\n\r\n");
    assert!(status.contains(" 200 "), "{status}");
}

#[test]
fn bodies_that_were_packed_on_the_way_are_refused() {
    let server = Server::start(|_| ());
    let head = format!("POST {MEAN} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", server.at);
    let (status, answer) =
        raw(server.at, format!("{head}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n").as_bytes());
    assert!(status.contains(" 400 ") && answer.contains("\"code\":\"bad_argument\""), "{answer}");
    assert!(answer.contains("Transfer-Encoding"), "{answer}");
}

#[test]
fn what_curl_does_to_files_is_said() {
    let server = Server::start(|_| ());
    let detail = |answer: crate::client::Answer| answer.json()["detail"].as_str().unwrap_or_default().to_owned();
    let image = Image::new(5, 5, 1, 1).bytes();
    let changed: Vec<u8> = image.iter().copied().filter(|byte| !b"\r\n\0".contains(byte)).collect();
    let answer = call(server.at, "POST", MEAN, &[URLENCODED], &changed);
    assert_eq!((answer.status, answer.problem().as_str()), (415, "not_safelight"));
    assert!(detail(answer).contains("--data-binary"));
    assert_eq!(call(server.at, "POST", MEAN, &[URLENCODED], &image).status, 200, "the bytes are right");
    let plain = call(server.at, "POST", MEAN, &[], &changed);
    assert!(!detail(plain).contains("--data-binary"));

    let empty = call(server.at, "POST", MEAN, &[], b"");
    assert_eq!((empty.status, empty.problem().as_str()), (400, "truncated"));
    assert!(detail(empty).contains("the body is empty"));

    let form = ("Content-Type", "multipart/form-data; boundary=x");
    let answer = call(server.at, "POST", "/v1/keys", &[form], b"--x--\r\n");
    assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported_content"));
}

#[test]
fn every_method_is_named_once() {
    let server = Server::start(|_| ());
    for (target, methods) in
        [("/v1/keys/x", "DELETE,GET,HEAD,PATCH"), ("/v1/jobs/x", "DELETE,GET,HEAD"), ("/v1", "GET,HEAD")]
    {
        let answer = call(server.at, "PUT", target, &[], b"");
        let mut named: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
        named.sort_unstable();
        assert_eq!(named.join(","), methods, "{target}");
    }
}

#[test]
fn a_result_that_the_client_has_is_not_sent_again() {
    let server = Server::start(|_| ());
    let job = jobs::post(server.at, MEAN, &Image::new(5, 5, 1, 1).bytes());
    assert_eq!(jobs::wait(server.at, &job)["state"], "done");
    let result = format!("{job}/result");
    let tag = get(server.at, &result).header("etag").to_owned();
    for (known, status) in [("*", 304), (tag.as_str(), 304), ("\"another\"", 200)] {
        let answer = call(server.at, "GET", &result, &[("If-None-Match", known)], b"");
        assert_eq!((answer.status, answer.header("etag")), (status, tag.as_str()), "{known}");
    }
}

#[cfg(unix)]
#[test]
fn hidden_files_and_links_out_of_the_folder_are_not_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page");
    let write = |name: &str| std::fs::write(page.join(name), b"something").expect("written");
    for inner in ["", ".git", ".well-known", "deep"] {
        std::fs::create_dir_all(page.join(inner)).expect("created");
    }
    ["index.html", ".env", ".git/config", ".well-known/security.txt", "deep/.hidden", "deep/index.html", "a b"]
        .into_iter()
        .for_each(write);
    std::fs::write(folder.path().join("private.txt"), b"private").expect("written");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, page.join(name)).expect("linked");
    link("../private.txt", "link.txt");
    link("..", "up");
    link("../private.txt", "index.html.gz");
    link("deep/index.html", "inner.html");
    let root = page.clone();
    let server = Server::start(|config| config.page = Some(root));
    for target in [
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/%2Egit/config",
        "/deep/.hidden",
        "/deep/%2ehidden",
        "/link.txt",
        "/up/private.txt",
    ] {
        let answer = get(server.at, target);
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not_found"), "{target}");
    }
    let packed = call(server.at, "GET", "/index.html", &[("Accept-Encoding", "gzip")], b"");
    assert!(!packed.body.windows(7).any(|part| part == b"private"), "{packed:?}");
    std::fs::remove_file(page.join("index.html.gz")).expect("removed");
    for target in ["/", "/index.html", "/deep/", "/inner.html", "/.well-known/security.txt", "/a%20b"] {
        assert_eq!(get(server.at, target).status, 200, "{target}");
    }
}
