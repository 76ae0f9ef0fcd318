//! Which requests are accepted: those for this server's own names, and from web pages only those of allowed origins.
//!
//! A browser lets every web page send requests to every address that the visitor's machine can reach, including a server on the
//! loopback interface, and only withholds the answers from the page. So a request from a page of another origin is refused
//! before anything is done. Browsers mark such requests, and pages cannot remove the marks: `Origin` on every request that
//! changes something or whose answer the page could read, `Sec-Fetch-Site` on all. A page can also make its own host name
//! resolve to this machine (DNS rebinding); then its requests carry that name in `Host`. Programs other than browsers send
//! neither `Origin` nor `Sec-Fetch-Site`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::after_upload;
use crate::error::{Code, Error, Result};
use crate::server::config::{self, AllowOrigins, Settings};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// This path is open under any host name, for health checks. It reveals nothing.
const OPEN: &str = "/v1/health";

/// The names and origins that belong to this server or are allowed.
pub(super) struct Guard {
    listen: IpAddr,
    /// Names from the configuration, in lower case.
    hosts: Vec<String>,
    any_host: bool,
    origins: AllowOrigins,
}

impl Guard {
    pub(super) fn new(settings: &Settings, address: SocketAddr) -> Self {
        let hosts = settings.hosts.iter().filter(|host| *host != "*").cloned().collect();
        let any_host = settings.hosts.iter().any(|host| host == "*");
        Self { listen: address.ip().to_canonical(), hosts, any_host, origins: settings.allow_origins.clone() }
    }

    fn check(&self, request: &Request) -> Result<()> {
        let named = authority(request.uri(), request.headers())?;
        match &named {
            Some(named) if !self.is_ours(named.host()) => return Err(foreign_host(named.host())),
            // RFC 9112, section 3.2.
            None if request.version() >= Version::HTTP_11 => return Err(Error::new(Code::BadArgument, NO_HOST)),
            _ => {}
        }
        check_coding(request.headers())?;
        self.check_origin(request.method(), request.headers(), named.as_ref())
    }

    /// Whether this is a name of this server.
    fn is_ours(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        if let Ok(address) = bare.parse::<IpAddr>().map(|address| address.to_canonical())
            // Unlike a name, an address cannot be made to lead to another machine.
            && (address.is_loopback() || address == self.listen || self.listen.is_unspecified())
        {
            return true;
        }
        self.any_host
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.hosts.contains(&name)
            || self.allowed_origins().any(|origin| host_of(origin).is_some_and(|host| host == name))
    }

    fn allowed_origins(&self) -> impl Iterator<Item = &str> {
        let list = match &self.origins {
            AllowOrigins::Any => &[],
            AllowOrigins::These(list) => &list[..],
        };
        list.iter().filter_map(|origin| origin.to_str().ok())
    }

    fn check_origin(&self, method: &Method, headers: &HeaderMap, named: Option<&Authority>) -> Result<()> {
        if matches!(self.origins, AllowOrigins::Any) {
            return Ok(());
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (Some(origin), None) if self.is_allowed(origin, named) => Ok(()),
            (None, _) if is_own_fetch(method, headers) => Ok(()),
            (origin, _) => Err(foreign_origin(origin)),
        }
    }

    /// Whether an origin is that of this server's own page, or an allowed one.
    fn is_allowed(&self, origin: &HeaderValue, named: Option<&Authority>) -> bool {
        let Some(text) = origin.to_str().ok().filter(|text| config::origin(text).is_ok()) else { return false };
        let Some((uri, port)) = text.parse::<Uri>().ok().and_then(|uri| Some((uri.clone(), port_of(&uri)?))) else {
            return false;
        };
        let host = uri.host().unwrap_or_default();
        // A proxy may have terminated TLS, so the default port depends on the origin's scheme.
        let own = named.is_some_and(|named| {
            let preset = if uri.scheme_str() == Some("https") { 443 } else { 80 };
            named.host().eq_ignore_ascii_case(host) && named.port_u16().unwrap_or(preset) == port
        });
        let preset = uri.port().is_none();
        own || self.allowed_origins().any(|allowed| allowed == text)
            || (preset && self.hosts.iter().any(|name| name == host))
    }
}

/// Whether a request without `Origin` comes from no page, from this server's own, or from a link that a user followed.
fn is_own_fetch(method: &Method, headers: &HeaderMap) -> bool {
    let field = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let reads = method == Method::GET || method == Method::HEAD;
    match field(FETCH_SITE) {
        None | Some("same-origin" | "none") => true,
        Some(_) => reads && field(FETCH_MODE) == Some("navigate"),
    }
}

/// Refuses requests for other hosts, and requests from pages of other origins.
pub(super) async fn protect(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if request.uri().path() != OPEN
        && let Err(error) = guard.check(&request)
    {
        return after_upload(Err(error));
    }
    next.run(request).await
}

/// The host that a request is for, with its port, if the request names one.
pub(super) fn authority(uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>> {
    let mut named = headers.get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    let parsed = first.map(|value| value.to_str().ok().and_then(|text| text.parse::<Authority>().ok()));
    match (uri.authority(), parsed, second) {
        (_, _, Some(_)) | (None, Some(None), None) => Err(foreign_host("")),
        (Some(authority), ..) => Ok(Some(authority.clone())),
        (None, parsed, None) => Ok(parsed.flatten()),
    }
}

fn host_of(origin: &str) -> Option<String> {
    Some(origin.parse::<Uri>().ok()?.host()?.to_owned())
}

fn port_of(uri: &Uri) -> Option<u16> {
    match uri.scheme_str()? {
        "https" => Some(uri.port_u16().unwrap_or(443)),
        _ => Some(uri.port_u16().unwrap_or(80)),
    }
}

const NO_HOST: &str = "the request does not name its host; send one valid header field Host";

/// Accepts bodies in chunks or as a whole. A body with any other transfer coding (RFC 9112, section 7), such as
/// compression, would be misread.
fn check_coding(headers: &HeaderMap) -> Result<()> {
    let plain = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if headers.get_all(header::TRANSFER_ENCODING).iter().all(plain) {
        return Ok(());
    }
    let message = "this server unpacks nothing; send the body as it is, with no Transfer-Encoding other than chunked";
    Err(Error::new(Code::BadArgument, message))
}

fn foreign_host(name: &str) -> Error {
    // Repeat only text that can be a name.
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let message = if !name.is_empty() && name.len() < 256 && name.bytes().all(good) {
        format!("{name} is not a name of this server; its operator can allow it: safelight serve --host {name}")
    } else {
        NO_HOST.into()
    };
    Error::new(Code::ForeignHost, message)
}

fn foreign_origin(origin: Option<&HeaderValue>) -> Error {
    let known = origin.and_then(|value| value.to_str().ok()).filter(|text| config::origin(text).is_ok());
    let origin = known.unwrap_or("ORIGIN");
    let message = format!(
        "web pages of this origin may not use this server; its operator can allow it: safelight serve --allow-origin \
         {origin}"
    );
    Error::new(Code::ForeignOrigin, message)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn guard(listen: &str, hosts: &[&str], origins: &[&'static str]) -> Guard {
        Guard {
            listen: listen.parse().expect("an address"),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            any_host: hosts.contains(&"*"),
            origins: if origins == ["*"] {
                AllowOrigins::Any
            } else {
                AllowOrigins::These(origins.iter().map(|&origin| HeaderValue::from_static(origin)).collect())
            },
        }
    }

    fn check(guard: &Guard, method: &str, fields: &[(&str, &str)]) -> Option<&'static str> {
        let mut request = Request::builder().method(method).uri("/v1/filters/mean");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        guard.check(&request.body(Body::empty()).expect("a request")).err().map(|error| error.code())
    }

    #[test]
    fn only_own_names_are_answered_to() {
        let local = guard("127.0.0.1", &[], &["https://photos.example"]);
        for own in ["127.0.0.1:8080", "127.0.0.2", "localhost", "LOCALHOST:8080", "a.localhost", "[::1]:80"] {
            assert_eq!(check(&local, "POST", &[("host", own)]), None, "{own}");
        }
        assert_eq!(check(&local, "POST", &[("host", "photos.example")]), None);
        assert_eq!(check(&local, "POST", &[]), Some("bad_argument"), "every client of HTTP/1.1 sends it");
        let old = Request::builder().version(Version::HTTP_10).body(Body::empty()).expect("a request");
        assert!(local.check(&old).is_ok(), "no browser leaves it out");
        for (coding, code) in [("chunked", None), ("Chunked", None), ("gzip, chunked", Some("bad_argument"))] {
            assert_eq!(
                check(&local, "POST", &[("host", "localhost"), ("transfer-encoding", coding)]),
                code,
                "{coding}"
            );
        }
        for other in
            ["evil.example", "localhost.evil.example", "notlocalhost", "192.0.2.1", "a b", "", "127.0.0.1.nip.io"]
        {
            assert_eq!(check(&local, "GET", &[("host", other)]), Some("foreign_host"), "{other}");
        }
        assert_eq!(check(&local, "GET", &[("host", "localhost"), ("host", "evil.example")]), Some("foreign_host"));
        let public = guard("0.0.0.0", &["photos.example"], &[]);
        for own in ["photos.example", "Photos.Example:443", "192.0.2.1:8080", "[2001:db8::1]"] {
            assert_eq!(check(&public, "POST", &[("host", own)]), None, "{own}");
        }
        assert_eq!(check(&public, "POST", &[("host", "evil.example")]), Some("foreign_host"));
        assert_eq!(check(&guard("0.0.0.0", &["*"], &[]), "POST", &[("host", "evil.example")]), None);
    }

    #[test]
    fn only_own_and_allowed_pages_are_served() {
        let guard = guard("127.0.0.1", &["filters.example"], &["https://photos.example"]);
        let post = |host, fields: &[(&str, &str)]| check(&guard, "POST", &[&[("host", host)], fields].concat());
        for (host, origin) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("127.0.0.1:8080", "https://photos.example"),
            ("localhost", "http://localhost"),
            ("localhost", "https://localhost"),
            // A proxy replaced the host with its own name for this server.
            ("127.0.0.1:8080", "https://filters.example"),
        ] {
            assert_eq!(post(host, &[("origin", origin)]), None, "{host} {origin}");
        }
        for origin in [
            "https://evil.example",
            "http://127.0.0.1:9999",
            "http://127.0.0.1",
            "http://localhost:8080",
            "http://photos.example",
            "https://photos.example.evil.example",
            "https://filters.example:8443",
            "null",
            "",
        ] {
            assert_eq!(post("127.0.0.1:8080", &[("origin", origin)]), Some("foreign_origin"), "{origin}");
        }
        let both = [("origin", "https://photos.example"), ("origin", "https://evil.example")];
        assert_eq!(post("127.0.0.1:8080", &both), Some("foreign_origin"));
        assert_eq!(post("127.0.0.1:8080", &[]), None, "programs that are no browsers");
    }

    #[test]
    fn requests_without_an_origin_are_known_by_where_they_come_from() {
        let local = guard("127.0.0.1", &[], &[]);
        let host = ("host", "localhost");
        for own in ["same-origin", "none"] {
            assert_eq!(check(&local, "POST", &[host, ("sec-fetch-site", own)]), None);
        }
        for other in ["cross-site", "same-site", "?"] {
            assert_eq!(check(&local, "POST", &[host, ("sec-fetch-site", other)]), Some("foreign_origin"));
            assert_eq!(check(&local, "GET", &[host, ("sec-fetch-site", other)]), Some("foreign_origin"));
            let link = [host, ("sec-fetch-site", other), ("sec-fetch-mode", "navigate")];
            assert_eq!(check(&local, "GET", &link), None, "a link is followed");
            assert_eq!(check(&local, "POST", &link), Some("foreign_origin"), "a form is not sent");
        }
        let open = guard("127.0.0.1", &[], &["*"]);
        assert_eq!(check(&open, "POST", &[host, ("origin", "null"), ("sec-fetch-site", "cross-site")]), None);
    }

    #[test]
    fn the_answer_says_what_to_set() {
        assert!(foreign_host("evil.example").message().contains("--host evil.example"));
        assert!(!foreign_host("<script>").message().contains("script"));
        let value = HeaderValue::from_static("https://photos.example");
        assert!(foreign_origin(Some(&value)).message().contains("--allow-origin https://photos.example"));
        let value = HeaderValue::from_static("https://a.example/<b>");
        assert!(!foreign_origin(Some(&value)).message().contains("<b>"));
    }
}
