//! The page's files, and the headers around them.
//!
//! The page is a photo site like others: it embeds the vault and sees only ciphertext. Its content security policy only allows
//! its own scripts and connections to this server (and those the operator names), and forbids framing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::HandlerWithoutStateExt;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, get_service};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use super::problem::{method_not_allowed, not_found};
use crate::error::{Code, Error, Result};
use crate::server::config::Settings;

const NO_PAGE: &str = "This is Safelight, a server that filters photos it cannot see.\n\
    It serves its interface under /v1 (described in /v1/openapi.json) but no page.\n\
    To serve the page as well, start it with: safelight serve --page FOLDER --vault FOLDER\n";

/// The folders that other sites can load from: the element and its dependencies.
const FOR_OTHER_SITES: [&str; 2] = ["/element/", "/shared/"];

/// The router for everything outside `/v1`. `vault` is the origin of the vault, if there is one.
pub(super) fn router(settings: &Settings, vault: Option<&str>) -> Result<Router> {
    let router = match &settings.page {
        Some(folder) => files(folder).layer(from_fn(for_other_sites)),
        None => {
            Router::new().route("/", get(no_page)).fallback(not_found).method_not_allowed_fallback(method_not_allowed)
        }
    };
    Ok(with_headers(router, headers(&settings.connect_src, vault)?))
}

async fn no_page() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], NO_PAGE).into_response()
}

/// The files of a folder.
pub(super) fn files(folder: &Path) -> Router {
    let files = ServeDir::new(folder)
        .precompressed_br()
        .precompressed_gzip()
        .ignore_multi_range_requests(true)
        .fallback(not_found.into_service());
    let open = Arc::new(Open { folder: folder.to_owned(), root: folder.canonicalize() });
    let router = Router::new().fallback_service(get_service(files).fallback(method_not_allowed));
    router.layer(from_fn_with_state(open, only_open))
}

/// A folder whose files anyone may read, except hidden files and the targets of links that lead out of it.
struct Open {
    folder: PathBuf,
    /// The folder's path after all links are followed.
    root: io::Result<PathBuf>,
}

/// Serves only files that are open.
async fn only_open(State(open): State<Arc<Open>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match tokio::task::spawn_blocking(move || open.shows(&path)).await {
        Ok(true) => next.run(request).await,
        _ => not_found().await.into_response(),
    }
}

impl Open {
    fn shows(&self, path: &str) -> bool {
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let mut parts = decoded.split('/').filter(|part| !part.is_empty());
        // Files in `.well-known` are meant to be found (RFC 8615).
        let hidden = |(place, part): (usize, &str)| part.starts_with('.') && (place, part) != (0, ".well-known");
        if parts.clone().enumerate().any(hidden) {
            return false;
        }
        let file = parts.try_fold(self.folder.clone(), |path, part| (!part.contains('\0')).then(|| path.join(part)));
        let Some(file) = file else { return false };
        let index = file.join("index.html");
        // For the folder itself, check only its index: the folder's name with an ending would name a file beside it.
        let names = if file == self.folder { vec![index] } else { vec![file, index] };
        let packed = |name: PathBuf| {
            ["", ".br", ".gz"].map(|ending| {
                let mut name = name.clone().into_os_string();
                name.push(ending);
                PathBuf::from(name)
            })
        };
        let real = names.into_iter().flat_map(packed).filter_map(|name| name.canonicalize().ok());
        real.into_iter().all(|file| self.root.as_ref().is_ok_and(|root| file.starts_with(root)))
    }
}

/// Adds `headers` to every answer, and the headers that the page and the vault have in common.
pub(super) fn with_headers(router: Router, headers: Vec<(HeaderName, HeaderValue)>) -> Router {
    let common = [
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("origin-agent-cluster"), HeaderValue::from_static("?1")),
        // Browsers cache the files but revalidate them each time.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    headers
        .into_iter()
        .chain(common)
        .fold(router, |router, (name, value)| router.layer(SetResponseHeaderLayer::if_not_present(name, value)))
}

/// Lets other sites load the element: browsers load modules of other origins only with these headers.
async fn for_other_sites(request: Request, next: Next) -> Response {
    let open = FOR_OTHER_SITES.iter().any(|folder| request.uri().path().starts_with(folder));
    let mut answer = next.run(request).await;
    if open {
        answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let name = HeaderName::from_static("cross-origin-resource-policy");
        answer.headers_mut().insert(name, HeaderValue::from_static("cross-origin"));
    }
    answer
}

fn headers(connect_src: &[String], vault: Option<&str>) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let servers: String = connect_src.iter().flat_map(|origin| [" ", origin]).collect();
    // Firefox treats downloads in a frame as navigations of the frame, so `blob:` must be allowed.
    let frames = vault.map(|origin| format!(" frame-src {origin} blob:;")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; connect-src 'self'{servers}; img-src 'self' blob: data:; \
         style-src 'self';{frames} base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy)
        .map_err(|_| Error::new(Code::BadArgument, "a server named for the page is not an origin"))?;
    Ok(vec![
        (header::CONTENT_SECURITY_POLICY, policy),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ])
}
