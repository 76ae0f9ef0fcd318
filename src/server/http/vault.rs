//! The vault's files, on a host of their own.
//!
//! The vault is a page that other sites embed in a frame, and it holds secret keys. It is safe from those sites because it has
//! an origin of its own; so requests for its host get only its files, and requests for other hosts never get them. Its content
//! security policy only allows its own files and connections to its own origin, where nothing listens, and it can neither
//! navigate the page around it nor open another one.
//!
//! The policy depends on the operator's settings, not on the files. So every file that becomes a page or a worker is
//! sent in full each time, because browsers that get "not modified" keep their old policy.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;

use super::guard;
use super::page::{files, with_headers};
use crate::error::{Code, Error, Result};
use crate::server::config::VaultSettings;

/// Devices that the vault does not need.
const NO_DEVICES: &str = "bluetooth=(), camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), \
    midi=(), payment=(), serial=(), usb=()";

/// The values of `Sec-Fetch-Dest` for requests whose answer's policy is enforced. (Old browsers do not send it.)
const WITH_POLICY: [&str; 7] = ["document", "iframe", "frame", "embed", "object", "worker", "sharedworker"];

/// The vault at its address.
#[derive(Clone)]
pub(super) struct Vault {
    router: Router,
    host: String,
    /// Its address for browsers, such as `http://localhost:8080/`.
    pub(super) url: String,
}

impl Vault {
    /// Completes the settings with the listening address.
    pub(super) fn new(settings: &VaultSettings, address: SocketAddr) -> Result<Self> {
        let port = address.port();
        let preset = || Uri::try_from(format!("http://localhost:{port}/"));
        let url = settings.url.clone().map_or_else(preset, Ok).map_err(|_| bad())?;
        let host = url.host().ok_or_else(bad)?.to_owned();
        let mut embedders = settings.embedders.join(" ");
        if embedders.is_empty() {
            let seen = if address.ip().is_unspecified() { format!("127.0.0.1:{port}") } else { address.to_string() };
            embedders = format!("http://{seen}");
        }
        let router = files(&settings.folder).layer(from_fn(always_whole));
        let router = with_headers(router, headers(&embedders)?).layer(from_fn(framed_as_page));
        Ok(Self { router, host, url: url.to_string() })
    }

    /// Its origin: the address without the slash.
    pub(super) fn origin(&self) -> &str {
        self.url.trim_end_matches('/')
    }
}

/// Sends requests for the vault's host to the vault, and passes all others on.
pub(super) async fn by_host(State(vault): State<Vault>, request: Request, next: Next) -> Response {
    let named = guard::authority(request.uri(), request.headers()).ok().flatten();
    if named.is_some_and(|named| named.host().eq_ignore_ascii_case(&vault.host)) {
        return match vault.router.oneshot(request).await {
            Ok(answer) => answer.into_response(),
            Err(never) => match never {},
        };
    }
    next.run(request).await
}

/// Makes sure that answers with a policy are never "not modified".
async fn always_whole(mut request: Request, next: Next) -> Response {
    let destination = request.headers().get("sec-fetch-dest").and_then(|value| value.to_str().ok());
    if destination.is_none_or(|destination| WITH_POLICY.contains(&destination)) {
        for condition in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
            request.headers_mut().remove(condition);
        }
    }
    next.run(request).await
}

/// Lets sites embed the vault's page, but no other file of the vault. In a frame that shows a picture, none of the
/// vault's scripts would run, but a script that looks for a window of the vault's origin would find one.
async fn framed_as_page(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let page = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = answer.headers().get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    let narrowed = policy.filter(|_| !page).and_then(|policy| {
        let (before, rest) = policy.split_once("frame-ancestors ")?;
        let (_, after) = rest.split_once(';')?;
        HeaderValue::try_from(format!("{before}frame-ancestors 'none';{after}")).ok()
    });
    if let Some(policy) = narrowed {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

fn headers(embedders: &str) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; \
         img-src 'self' blob:; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {embedders}; \
         sandbox allow-scripts allow-same-origin allow-downloads; require-trusted-types-for 'script'; \
         trusted-types default"
    );
    Ok(vec![
        (header::CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy).map_err(|_| bad())?),
        (HeaderName::from_static("permissions-policy"), HeaderValue::from_static(NO_DEVICES)),
        // No policy covers DNS prefetching, in which a browser looks up the names in links in advance.
        (HeaderName::from_static("x-dns-prefetch-control"), HeaderValue::from_static("off")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ])
}

fn bad() -> Error {
    Error::new(Code::BadArgument, "the vault's or an embedder's address is not valid")
}
