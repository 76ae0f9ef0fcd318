//! The page's files, their headers, and access from other sites.

use std::path::Path;

use crate::client::{call, get};
use crate::house::Server;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).expect("written");
    std::fs::create_dir(folder.path().join("pkg")).expect("created");
    write("index.html", b"<!doctype html>");
    write("style.css", b"");
    write("pkg/safelight.js", b"export {}");
    write("pkg/safelight_bg.wasm", b"\0asm");
    write("pkg/safelight_bg.wasm.gz", b"packed");
    folder
}

fn with_page(folder: &Path) -> Server {
    let page = Some(folder.to_owned());
    Server::start(|config| {
        config.page = page;
        config.connect_src = vec!["https://other.example".into()];
    })
}

#[test]
fn files_have_their_types_and_their_protection() {
    let folder = folder();
    let server = with_page(folder.path());
    for (target, kind) in [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/style.css", "text/css"),
        ("/pkg/safelight.js", "text/javascript"),
        ("/pkg/safelight_bg.wasm", "application/wasm"),
        ("/pkg/safelight_bg.wasm?v=1", "application/wasm"),
    ] {
        let answer = get(server.at, target);
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{target}");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; connect-src 'self' https://other.example; \
             img-src 'self' blob: data:; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("origin-agent-cluster"), "?1");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-cache");
    }
    assert_eq!(get(server.at, "/pkg/safelight_bg.wasm").body, b"\0asm");
    let packed = call(server.at, "GET", "/pkg/safelight_bg.wasm", &[("Accept-Encoding", "gzip")], b"");
    assert_eq!((packed.header("content-encoding"), &packed.body[..]), ("gzip", &b"packed"[..]));
    assert_eq!(packed.header("content-type"), "application/wasm");
}

#[test]
fn unchanged_files_are_not_sent_again() {
    let folder = folder();
    let server = with_page(folder.path());
    let first = get(server.at, "/style.css");
    for (condition, mark) in [("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")] {
        let mark = first.header(mark);
        assert!(!mark.is_empty());
        assert_eq!(call(server.at, "GET", "/style.css", &[(condition, mark)], b"").status, 304);
    }
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let folder = folder();
    std::fs::write(folder.path().join("secret"), b"secret").expect("written");
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).expect("created");
    std::fs::write(inside.join("index.html"), b"<!doctype html>").expect("written");
    let server = with_page(&inside);
    for target in [
        "/../secret",
        "/pkg/../../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/no/such/file",
        "/index.html/x",
    ] {
        assert_eq!(get(server.at, target).status, 404, "{target}");
    }
    assert_eq!(get(server.at, "/no").header("x-content-type-options"), "nosniff");
    assert_eq!(call(server.at, "PUT", "/index.html", &[], b"").status, 405);
}

#[test]
fn without_a_page_the_root_says_what_this_is() {
    let server = Server::start(|_| ());
    let answer = get(server.at, "/");
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert!(String::from_utf8_lossy(&answer.body).contains("--page"));
}

#[test]
fn a_folder_without_a_page_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let config =
        safelight::server::Config { page: Some(folder.path().to_owned()), ..safelight::server::Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let refused = runtime.block_on(safelight::server::serve(config, |_| panic!("not ready"), async {}));
    assert_eq!(refused.expect_err("no index.html").code(), "bad_argument");
}

#[test]
fn other_sites_may_load_the_element_and_nothing_else() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("element")).expect("created");
    std::fs::write(folder.path().join("element/safe-light.js"), b"export {}").expect("written");
    let server = with_page(folder.path());
    let element = get(server.at, "/element/safe-light.js");
    assert_eq!((element.status, element.header("access-control-allow-origin")), (200, "*"));
    assert_eq!(element.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(get(server.at, "/style.css").header("access-control-allow-origin"), "");
}

/// A server with a page and a vault. Both have an `index.html`, and the vault has one more file.
fn with_vault(change: impl FnOnce(&mut safelight::server::Config)) -> (Server, [tempfile::TempDir; 2]) {
    let [page, vault] = [folder(), folder()];
    std::fs::write(vault.path().join("index.html"), b"the vault").expect("written");
    std::fs::write(vault.path().join("keeper.js"), b"export {}").expect("written");
    let [page_folder, vault_folder] = [&page, &vault].map(|folder| Some(folder.path().to_owned()));
    let server = Server::start(|config| {
        config.page = page_folder;
        config.vault = vault_folder;
        change(config);
    });
    (server, [page, vault])
}

fn get_from(server: &Server, host: &str, target: &str) -> crate::client::Answer {
    call(server.at, "GET", target, &[("Host", host)], b"")
}

#[test]
fn the_vault_has_its_host_for_itself() {
    let (server, _folders) = with_vault(|_| ());
    let port = server.at.port();
    for host in ["localhost".into(), format!("localhost:{port}"), format!("LOCALHOST:{port}"), "localhost:1".into()] {
        let answer = get_from(&server, &host, "/");
        assert_eq!((answer.status, &answer.body[..]), (200, &b"the vault"[..]), "{host}");
        assert_eq!(get_from(&server, &host, "/keeper.js").status, 200);
        for target in ["/v1", "/v1/health", "/v1/filters/mean", "/v1/openapi.json"] {
            assert_eq!(get_from(&server, &host, target).status, 404, "{target}");
        }
    }
    for host in [format!("127.0.0.1:{port}"), "photos.example".into(), "localhost.example".into(), "lo calhost".into()]
    {
        assert_eq!(get_from(&server, &host, "/").body, b"<!doctype html>", "{host}");
        assert_eq!(get_from(&server, &host, "/keeper.js").status, 404, "{host}");
    }
    let about = get_from(&server, &format!("127.0.0.1:{port}"), "/v1").json();
    assert_eq!(about["vault"], format!("http://localhost:{port}/"));
    let policy = get(server.at, "/").header("content-security-policy").to_owned();
    assert!(policy.contains(&format!("frame-src http://localhost:{port} blob:;")), "{policy}");
}

#[test]
fn the_vaults_headers_shut_it_off() {
    let (server, _folders) = with_vault(|_| ());
    let answer = get_from(&server, "localhost", "/");
    let port = server.at.port();
    assert_eq!(
        answer.header("content-security-policy"),
        format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; \
             img-src 'self' blob:; style-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors http://127.0.0.1:{port}; sandbox allow-scripts allow-same-origin allow-downloads; \
             require-trusted-types-for 'script'; trusted-types default"
        )
    );
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("origin-agent-cluster", "?1"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-cache"),
        ("x-dns-prefetch-control", "off"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(answer.header("permissions-policy").contains("camera=()"));
    assert_eq!(get_from(&server, "localhost", "/no").header("cross-origin-resource-policy"), "same-origin");
}

/// A browser that receives "not modified" may keep its old policy.
#[test]
fn what_carries_the_vaults_policy_is_sent_whole_each_time() {
    let (server, _folders) = with_vault(|_| ());
    for (target, destination, status) in [
        ("/", "iframe", 200),
        ("/", "document", 200),
        ("/", "", 200),
        ("/keeper.js", "worker", 200),
        ("/keeper.js", "script", 304),
        ("/keeper.js", "empty", 304),
    ] {
        let first = get_from(&server, "localhost", target);
        for (condition, mark) in [("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")] {
            let mut headers = vec![("Host", "localhost"), (condition, first.header(mark))];
            headers.extend((!destination.is_empty()).then_some(("Sec-Fetch-Dest", destination)));
            let again = call(server.at, "GET", target, &headers, b"");
            assert_eq!(again.status, status, "{target} for {destination}, {condition}");
        }
    }
}

#[test]
fn no_file_of_the_vault_is_framed_but_its_page() {
    let (server, _folders) = with_vault(|config| config.embedders = vec!["https://photos.example".into()]);
    let policy = |target| get_from(&server, "localhost", target).header("content-security-policy").to_owned();
    assert!(policy("/").contains("frame-ancestors https://photos.example;"), "{}", policy("/"));
    for target in ["/keeper.js", "/style.css", "/no"] {
        let policy = policy(target);
        assert!(policy.contains("frame-ancestors 'none';") && !policy.contains("photos.example"), "{target}: {policy}");
        assert!(policy.contains("trusted-types default"), "{policy}");
    }
}

#[test]
fn the_vault_lies_where_the_operator_says() {
    let (server, _folders) = with_vault(|config| {
        config.vault_url = Some("https://vault.example/".into());
        config.embedders = vec!["https://photos.example".into(), "https://a.example:8443".into()];
    });
    assert_eq!(get_from(&server, "localhost", "/").body, b"<!doctype html>");
    let answer = get_from(&server, "vault.example", "/");
    assert_eq!(answer.body, b"the vault");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("frame-ancestors https://photos.example https://a.example:8443;"), "{policy}");
    assert_eq!(get(server.at, "/v1").json()["vault"], "https://vault.example/");
}

#[test]
fn without_a_vault_nothing_is_said_of_one() {
    let server = Server::start(|_| ());
    assert!(get(server.at, "/v1").json().get("vault").is_none());
}

const OURS: (&str, &str) = ("Origin", "https://ours.example");
const OTHERS: (&str, &str) = ("Origin", "https://others.example");

#[test]
fn only_named_origins_may_read_answers() {
    let server = Server::start(|config| config.allow_origins = vec![OURS.1.into()]);
    let preflight = |origin, headers: &str| {
        let asked = [origin, ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", headers)];
        call(server.at, "OPTIONS", "/v1/filters/mean", &asked, b"")
    };
    let answer = preflight(OURS, "content-type,prefer");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, OURS.1));
    assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD,POST,PATCH,DELETE");
    assert_eq!(
        answer.header("access-control-allow-headers"),
        "content-type,prefer,upload-offset,upload-length,range,if-range"
    );
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert_eq!(preflight(OTHERS, "prefer").header("access-control-allow-origin"), "");

    // Errors are readable as well, and so are the headers of a job and of an upload.
    for target in ["/v1", "/v1/jobs/x", "/v1/nothing", "/v1/filters/mean"] {
        let answer = call(server.at, "GET", target, &[OURS], b"");
        assert_eq!(answer.header("access-control-allow-origin"), OURS.1, "{target}");
        let exposed = answer.header("access-control-expose-headers");
        assert!(
            ["location", "preference-applied", "retry-after", "upload-offset", "upload-length"]
                .iter()
                .all(|name| exposed.contains(name)),
            "{exposed}"
        );
        assert_eq!(call(server.at, "GET", target, &[OTHERS], b"").header("access-control-allow-origin"), "");
    }
}

#[test]
fn any_origin_only_if_asked_for() {
    let closed = Server::start(|_| ());
    assert_eq!(call(closed.at, "GET", "/v1", &[OURS], b"").header("access-control-allow-origin"), "");
    let open = Server::start(|config| config.allow_origins = vec!["*".into()]);
    assert_eq!(call(open.at, "GET", "/v1", &[OURS], b"").header("access-control-allow-origin"), "*");
}
