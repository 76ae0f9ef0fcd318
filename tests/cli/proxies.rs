//! The connection to a server: proxies, which are never bypassed once configured, and private certificate authorities.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::program::{Folder, Run};
use crate::remote::{filter, folder, http, read_request, server};

/// A port on which no program listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

/// A proxy of every kind that leads all connections to one address, and reports each request: the kind, the requested address
/// and the user.
struct Proxy {
    address: String,
    asked: Receiver<String>,
}

impl Proxy {
    fn to(place: &str, accept: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
        let address = listener.local_addr().expect("address").to_string();
        let place = place.trim_start_matches("http://").trim_start_matches("https://").to_owned();
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (place, sender) = (place.clone(), sender.clone());
                std::thread::spawn(move || {
                    let report = |text: String| _ = sender.send(text);
                    let Some(client) = welcome(client, accept, report) else { return };
                    let server = TcpStream::connect(place).expect("the server");
                    let back = (server.try_clone().expect("clone"), client.try_clone().expect("clone"));
                    std::thread::spawn(move || pump(back.0, back.1));
                    pump(client, server);
                });
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// The proxy's part of a handshake of any kind.
fn welcome(mut client: TcpStream, accept: bool, report: impl Fn(String)) -> Option<TcpStream> {
    let mut first = [0];
    client.read_exact(&mut first).ok()?;
    match first[0] {
        4 => {
            let mut head = [0; 7];
            client.read_exact(&mut head).ok()?;
            let port = u16::from_be_bytes([head[1], head[2]]);
            let user = until_zero(&mut client)?;
            let (kind, host) = match head[3..] {
                [0, 0, 0, last] if last != 0 => ("socks4a", until_zero(&mut client)?),
                [a, b, c, d] => ("socks4", Ipv4Addr::new(a, b, c, d).to_string()),
                _ => return None,
            };
            report(format!("{kind} {user:?} {host}:{port}"));
            client.write_all(&[0, if accept { 90 } else { 91 }, 0, 0, 0, 0, 0, 0]).ok()?;
        }
        5 => {
            let methods = counted(&mut client)?;
            let mut user = String::new();
            if methods.contains(&2) {
                client.write_all(&[5, 2]).ok()?;
                client.read_exact(&mut [0]).ok()?;
                let (name, password) = (counted(&mut client)?, counted(&mut client)?);
                user = format!("{} {}", String::from_utf8_lossy(&name), String::from_utf8_lossy(&password));
                client.write_all(&[1, 0]).ok()?;
            } else {
                client.write_all(&[5, 0]).ok()?;
            }
            let mut head = [0; 4];
            client.read_exact(&mut head).ok()?;
            let (kind, host) = match head[3] {
                1 => {
                    let mut address = [0; 4];
                    client.read_exact(&mut address).ok()?;
                    ("socks5", Ipv4Addr::from(address).to_string())
                }
                3 => ("socks5h", String::from_utf8(counted(&mut client)?).ok()?),
                _ => return None,
            };
            let mut port = [0; 2];
            client.read_exact(&mut port).ok()?;
            report(format!("{kind} {user:?} {host}:{}", u16::from_be_bytes(port)));
            client.write_all(&[5, if accept { 0 } else { 5 }, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
        }
        _ => {
            let mut head = first.to_vec();
            while !head.ends_with(b"\r\n\r\n") {
                client.read_exact(&mut first).ok()?;
                head.extend(first);
            }
            let head = String::from_utf8(head).ok()?;
            let place = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
            let user = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: ")).unwrap_or_default();
            report(format!("http {user:?} {place}"));
            let status = if accept { "200 Connected" } else { "403 Forbidden" };
            client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).ok()?;
        }
    }
    accept.then_some(client)
}

fn until_zero(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        if byte[0] == 0 {
            return String::from_utf8(text).ok();
        }
        text.extend(byte);
    }
}

fn counted(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0];
    stream.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; length[0].into()];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// Runs a filter on a server, with environment variables.
fn run(folder: &Folder, at: &str, flags: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = folder.command(["filter", "sharpen", "photo.slt", "--out", "there.slt", "--server", at]);
    command.args(flags).envs(variables.iter().copied());
    Run::of(command.output().expect("it runs"))
}

#[test]
fn every_kind_of_proxy_is_used_and_no_other_way() {
    let folder = folder();
    let (place, _) = server(|asked| http("200 OK", "", &filter(&asked.body, "sharpen")));
    let proxy = Proxy::to(&place, true);
    // No program listens on the port, and the name does not exist: only the proxy leads to the server.
    let closed = format!("127.0.0.1:{}", closed_port());
    let hidden = "photos.invalid:8080";
    for (scheme, at) in [
        ("socks4", &closed[..]),
        ("socks4a", hidden),
        ("socks5", &closed),
        ("socks5h", hidden),
        ("http", hidden),
        ("http", &closed),
    ] {
        let address = format!("{scheme}://{}", proxy.address);
        let url = format!("http://{at}");
        let wanted = format!("{scheme} \"\" {at}");
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            run(&folder, &url, &[], &[(name, &address)]).ok();
            assert_eq!(proxy.asked(), [wanted.as_str()], "{name}");
        }
        // A flag has priority over the environment.
        let environment = [("http_proxy", "socks5://127.0.0.1:1"), ("NO_PROXY", "*")];
        run(&folder, &url, &["--proxy", &address], &environment).ok();
        assert_eq!(proxy.asked(), [wanted.as_str()]);
        folder.run("decrypt --key my.key there.slt --out there.png").ok();
        assert_eq!(folder.read("there.png"), folder.read("here.png"));
        std::fs::remove_file(folder.path("there.slt")).expect("remove");
    }
    // Without a scheme, it is an HTTP proxy; `socks` means SOCKS 4, as for curl.
    run(&folder, "http://photos.invalid", &["--proxy", &proxy.address], &[]).ok();
    run(&folder, &format!("http://{closed}"), &["--proxy", &format!("socks://{}", proxy.address)], &[]).ok();
    assert_eq!(proxy.asked(), ["http \"\" photos.invalid:80", &format!("socks4 \"\" {closed}")]);
    // Names and passwords.
    for (scheme, wanted) in [("socks5h", "\"me my p@ss\""), ("http", "\"Basic bWU6bXkgcEBzcw==\"")] {
        let address = format!("{scheme}://me:my%20p%40ss@{}", proxy.address);
        run(&folder, "http://photos.invalid", &[], &[("ALL_PROXY", &address)]).ok();
        assert_eq!(proxy.asked(), [format!("{scheme} {wanted} photos.invalid:80")]);
    }
}

#[test]
fn a_proxy_that_fails_is_named_and_nothing_goes_around_it() {
    let folder = folder();
    let before = folder.names();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let place = listener.local_addr().expect("address");
    let reached = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reached);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let url = format!("http://{place}");
    let (dead, refusing) = (closed_port(), Proxy::to(&place.to_string(), false));
    for scheme in ["socks4", "socks4a", "socks5", "socks5h", "http", "socks"] {
        let address = format!("{scheme}://127.0.0.1:{dead}");
        let message = run(&folder, &url, &[], &[("ALL_PROXY", &address)]).error("unreachable");
        let named = address.replace("socks:", "socks4:");
        assert!(message.contains(&format!("the proxy at {named}")), "{message}");
        assert!(message.contains("ALL_PROXY") && message.contains("cannot be reached"), "{message}");

        let address = format!("{scheme}://{}", refusing.address);
        let message = run(&folder, &url, &["--proxy", &address], &[]).error("unreachable");
        assert!(message.contains("the proxy at ") && message.contains("did not connect"), "{message}");
    }
    let silent = TcpListener::bind("127.0.0.1:0").expect("listener");
    let address = format!("https://user:hunter2@{}", silent.local_addr().expect("address"));
    std::thread::spawn(move || silent.incoming().for_each(drop));
    let message = run(&folder, &url, &["--proxy", &address], &[]).error("unreachable");
    assert!(message.contains("the proxy at https://") && !message.contains("hunter2"), "{message}");
    let message = run(&folder, &url, &["--proxy", "http://no.such.host.invalid:8080"], &[]).error("unreachable");
    assert!(message.contains("the proxy at http://no.such.host.invalid:8080"), "{message}");
    // An invalid setting is an error, and never means a direct connection.
    for (name, bad) in [
        ("ALL_PROXY", "gopher://127.0.0.1:1"),
        ("http_proxy", "socks6://user:hunter2@127.0.0.1:1"),
        ("all_proxy", "http://"),
        ("HTTP_PROXY", "socks4://user@127.0.0.1"),
        ("http_proxy", "http://127.0.0.1:port"),
    ] {
        let message = run(&folder, &url, &[], &[(name, bad)]).error("bad_argument");
        assert!(message.contains(name) && !message.contains("hunter2"), "{message}");
        run(&folder, &url, &["--proxy", bad], &[]).error("bad_argument");
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0, "the server was reached directly");
    assert_eq!(folder.names(), before);
}

#[test]
fn a_proxy_is_left_out_where_the_person_says_so() {
    let folder = folder();
    let (place, _) = server(|asked| http("200 OK", "", &filter(&asked.body, "sharpen")));
    let dead = format!("socks5://127.0.0.1:{}", closed_port());
    for (name, list) in [("NO_PROXY", "127.0.0.1"), ("no_proxy", "example.com,127.0.0.0/8"), ("NO_PROXY", "*")] {
        run(&folder, &place, &[], &[("ALL_PROXY", &dead), (name, list)]).ok();
    }
    run(&folder, &place, &["--proxy", ""], &[("ALL_PROXY", &dead)]).ok();
    run(&folder, &place, &[], &[("https_proxy", &dead)]).ok();
    run(&folder, &place, &[], &[("ALL_PROXY", ""), ("http_proxy", "")]).ok();
    for list in ["example.com", "127.0.0.2", "10.0.0.0/8", ""] {
        run(&folder, &place, &[], &[("ALL_PROXY", &dead), ("NO_PROXY", list)]).error("unreachable");
    }
    folder.run("filter sharpen photo.slt --out here.slt --proxy socks5://127.0.0.1:1").usage("--server");
}

/// A TLS server whose certificate is signed by the authority in `tests/cli/tls`.
fn secure_server() -> (String, u16) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/tls");
    secure_server_with(&folder.join("server.pem"), &folder.join("server.key"))
}

/// A TLS server with this certificate and key.
fn secure_server_with(certificate: &Path, key: &Path) -> (String, u16) {
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate], key))
        .expect("a configuration");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let port = listener.local_addr().expect("address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = rustls::StreamOwned::new(connection, stream);
            if let Some(asked) = read_request(&mut stream) {
                // The client may have disconnected.
                let _ = stream.write_all(&http("200 OK", "", &filter(&asked.body, "sharpen")));
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (format!("https://localhost:{port}"), port)
}

#[test]
fn a_private_certificate_authority_is_trusted_when_it_is_named() {
    let folder = folder();
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/tls/ca.pem");
    let ca = ca.to_str().expect("text");
    let (url, port) = secure_server();
    let before = folder.names();
    let message = run(&folder, &url, &[], &[]).error("unreachable");
    assert!(message.contains("--ca-file") && message.contains("SSL_CERT_FILE"), "{message}");
    assert_eq!(folder.names(), before);

    let works = |flags: &[&str], variables: &[(&str, &str)]| {
        run(&folder, &url, flags, variables).ok();
        folder.run("decrypt --key my.key there.slt --out there.png").ok();
        assert_eq!(folder.read("there.png"), folder.read("here.png"));
        std::fs::remove_file(folder.path("there.slt")).expect("remove");
    };
    works(&["--ca-file", ca], &[]);
    works(&["--ca-file", ca], &[("SSL_CERT_FILE", "nowhere.pem")]);
    works(&[], &[("SSL_CERT_FILE", ca)]);
    std::fs::create_dir(folder.path("certificates")).expect("folder");
    std::fs::copy(ca, folder.path("certificates/ours.pem")).expect("copy");
    folder.write("certificates/README", b"not a certificate");
    works(&[], &[("SSL_CERT_DIR", "certificates")]);
    // Also through a proxy: TLS is between the client and the server.
    let proxy = Proxy::to(&format!("127.0.0.1:{port}"), true);
    for scheme in ["http", "socks5h"] {
        works(&["--ca-file", ca, "--proxy", &format!("{scheme}://{}", proxy.address)], &[]);
        assert_eq!(proxy.asked(), [format!("{scheme} \"\" localhost:{port}")]);
    }
    let proxied = format!("socks5h://{}", proxy.address);
    let message = run(&folder, &url, &["--proxy", &proxied], &[]).error("unreachable");
    assert!(message.contains("--ca-file") && !message.contains("the proxy"), "{message}");

    // A configured file must exist.
    run(&folder, &url, &["--ca-file", "my.pub"], &[]).error("bad_argument");
    run(&folder, &url, &["--ca-file", "missing.pem"], &[]).error("io");
    run(&folder, &url, &[], &[("SSL_CERT_FILE", "missing.pem")]).error("io");
    run(&folder, &url, &[], &[("SSL_CERT_DIR", "certificates/none")]).error("io");
    folder.write("empty.pem", b"");
    run(&folder, &url, &["--ca-file", "empty.pem"], &[]).error("bad_argument");
    // A certificate for another name.
    let message = run(&folder, &url.replace("localhost", "127.0.0.2"), &["--ca-file", ca], &[]).error("unreachable");
    assert!(message.contains("no secure connection") || message.contains("cannot be reached"), "{message}");
}

/// Checks that a message contains no jargon of libraries and programmers.
#[track_caller]
fn is_plain(message: &str) {
    for word in [
        "CaUsedAsEndEntity",
        "OtherError",
        "InvalidContentType",
        "corrupt message",
        "407/407",
        "parse fail",
        "protocol:",
    ] {
        assert!(!message.contains(word), "{message}");
    }
}

#[test]
fn what_libraries_say_is_told_in_plain_words() {
    let folder = folder();
    // A self-signed certificate: `openssl req -x509` makes it a certificate authority's.
    let made = std::process::Command::new("openssl")
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost".split(' '),
        )
        .args(["-addext", "subjectAltName=DNS:localhost", "-keyout"])
        .args([folder.path("own.key"), "-out".into(), folder.path("own.pem")])
        .output();
    if made.is_ok_and(|output| output.status.success()) {
        let (url, _) = secure_server_with(&folder.path("own.pem"), &folder.path("own.key"));
        let message = run(&folder, &url, &["--ca-file", "own.pem"], &[]).error("unreachable");
        assert!(message.contains("CA:TRUE") && message.contains("CA:FALSE"), "{message}");
        is_plain(&message);
    } else {
        println!("skipped: there is no openssl");
    }
    // A plain server where TLS is expected, and the other way round.
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let plain = format!("https://{}", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(&http("400 Bad Request", "", b"this is HTTP"));
        }
    });
    let message = run(&folder, &plain, &[], &[]).error("unreachable");
    assert!(message.contains("does not speak TLS") && message.contains("http://"), "{message}");
    is_plain(&message);
    let (secure, _) = secure_server();
    let message = run(&folder, &secure.replace("https:", "http:"), &[], &[]).error("bad_answer");
    assert!(message.contains("not valid HTTP") && message.contains("https://"), "{message}");
    is_plain(&message);
    // A proxy that requires a user name.
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let proxy = format!("http://{}", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = read_request(&mut client);
            let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let message = run(&folder, "http://photos.invalid", &["--proxy", &proxy], &[]).error("unreachable");
    assert!(message.contains("407") && message.contains("user:password@"), "{message}");
    is_plain(&message);
}

#[test]
fn a_port_that_is_none_is_wrong_usage() {
    let folder = folder();
    for port in ["0", "65536", "99999", "", "x"] {
        run(&folder, &format!("http://127.0.0.1:{port}"), &[], &[]).usage("--server");
        run(&folder, "http://127.0.0.1:1", &["--proxy", &format!("http://127.0.0.1:{port}")], &[])
            .error("bad_argument");
    }
}
