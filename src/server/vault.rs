//! The vault's files, on a host of their own.
//!
//! The vault is a page that other sites embed in a frame, and it holds secret keys. It is safe from those sites because it
//! lies on another origin; so whoever asks for its host gets its files and nothing else, and no other host gets them. Its
//! content security policy lets it run its own files only and talk to its own origin only, where nothing listens, and it
//! can neither move the page around it nor open another one.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;

use super::config::VaultSettings;
use super::guard;
use super::page::{files, with_headers};
use crate::error::{Code, Error, Result};

/// Devices that the vault has no business with.
const NO_DEVICES: &str = "bluetooth=(), camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), \
    midi=(), payment=(), serial=(), usb=()";

/// The vault at its address.
#[derive(Clone)]
pub(super) struct Vault {
    router: Router,
    host: String,
    /// Where browsers find it, such as `http://localhost:8080/`.
    pub(super) url: String,
}

impl Vault {
    /// Completes the settings by the address that is listened on.
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
        let router = with_headers(files(&settings.folder), headers(&embedders)?);
        Ok(Self { router, host, url: url.to_string() })
    }

    /// Its origin: the address without the slash.
    pub(super) fn origin(&self) -> &str {
        self.url.trim_end_matches('/')
    }
}

/// Requests for the vault's host go to the vault, all others go on.
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
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ])
}

fn bad() -> Error {
    Error::new(Code::BadArgument, "the vault's address or an embedder's cannot be used")
}
