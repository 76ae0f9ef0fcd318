//! The page's files, and the headers that keep the page to itself.
//!
//! The page holds secret keys. Its content security policy lets it run its own files only, talk to this server (and
//! those the operator names) only, and be framed by nobody.

use axum::Router;
use axum::handler::HandlerWithoutStateExt;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, get_service};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use super::config::Settings;
use super::problem::{method_not_allowed, not_found};
use crate::error::{Code, Error, Result};

const NO_PAGE: &str = "This is Safelight, a server that filters photos it cannot see.\n\
    It serves its interface under /v1 (described in /v1/openapi.json) but no page.\n\
    To serve the page as well, start it with: safelight serve --page FOLDER\n";

/// Everything outside `/v1`.
pub(super) fn router(settings: &Settings) -> Result<Router> {
    let router = match &settings.page {
        Some(folder) => {
            let files = ServeDir::new(folder)
                .precompressed_br()
                .precompressed_gzip()
                .ignore_multi_range_requests(true)
                .fallback(not_found.into_service());
            Router::new().fallback_service(get_service(files).fallback(method_not_allowed))
        }
        None => {
            Router::new().route("/", get(no_page)).fallback(not_found).method_not_allowed_fallback(method_not_allowed)
        }
    };
    let mut router = router;
    for (name, value) in headers(&settings.connect_src)? {
        router = router.layer(SetResponseHeaderLayer::if_not_present(name, value));
    }
    Ok(router)
}

async fn no_page() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], NO_PAGE).into_response()
}

fn headers(connect_src: &[String]) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let servers: String = connect_src.iter().flat_map(|origin| [" ", origin]).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'{servers}; \
         img-src 'self' blob: data:; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy)
        .map_err(|_| Error::new(Code::BadArgument, "a server named for the page is not an origin"))?;
    Ok(vec![
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("origin-agent-cluster"), HeaderValue::from_static("?1")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        // Browsers keep the files but ask each time whether they are still the same.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ])
}
