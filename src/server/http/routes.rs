//! The addresses of the interface, and the layers around it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::about::{about, health};
use super::guard::{self, Guard};
use super::problem::{Problem, method_not_allowed, not_found};
use super::vault::{self, Vault};
use super::{classifiers, client, filters, jobs, keys, models, openapi, page, submit, telemetry};
use crate::error::Result;
use crate::server::app::App;
use crate::server::config::AllowOrigins;
use crate::server::queue::work::internal;

/// The whole server as one service, at the address that it listens on.
pub(in crate::server) fn router(app: &Arc<App>, address: SocketAddr) -> Result<Router> {
    let settings = &app.settings;
    let vault = settings.vault.as_ref().map(|vault| Vault::new(vault, address)).transpose()?;
    let page = page::router(settings, vault.as_ref().map(Vault::origin))?;
    let guard = Arc::new(Guard::new(settings, address));
    let interface = interface(app, vault.as_ref())
        .layer(from_fn_with_state(guard, guard::protect))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(cors(&settings.allow_origins))
        .layer(from_fn_with_state(settings.proxies.clone(), client::identify));
    let mut router = interface.merge(page);
    if let Some(vault) = vault {
        router = router.layer(from_fn_with_state(vault, vault::by_host));
    }
    Ok(guarded(router))
}

/// The layers around every answer.
fn guarded(router: Router) -> Router {
    router
        .layer(SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(CatchPanicLayer::custom(|_| Problem::from(internal()).into_response()))
        .layer(from_fn(telemetry::log))
}

fn interface(app: &Arc<App>, vault: Option<&Vault>) -> Router {
    let vault = vault.map(|vault| vault.url.clone());
    Router::new()
        .route("/v1", get(|app| about(app, vault)))
        .route("/v1/health", get(health))
        .route("/v1/openapi.json", get(openapi::get))
        .route("/v1/filters/{name}", post(filters::post))
        .route("/v1/jobs/{id}", get(jobs::status).delete(jobs::delete))
        .route("/v1/jobs/{id}/events", get(jobs::events))
        .route("/v1/jobs/{id}/result", get(jobs::result))
        .route("/v1/models", post(models::create))
        .route("/v1/models/{id}", get(models::describe).delete(models::delete))
        .route("/v1/models/{id}/file", get(models::file))
        .route("/v1/keys", post(keys::create))
        // In one chain, because routes that are merged later list HEAD twice in `Allow`.
        .route("/v1/keys/{id}", get(keys::describe).head(keys::offset).patch(keys::append).delete(keys::delete))
        .route("/v1/classifiers/{id}", post(classifiers::post))
        .route("/v1/{*rest}", any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::clone(app))
}

/// Pages of other origins can use the interface if the operator allows it, and need to read these headers.
fn cors(allowed: &AllowOrigins) -> CorsLayer {
    let origins = match allowed {
        AllowOrigins::Any => AllowOrigin::any(),
        AllowOrigins::These(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::CONTENT_TYPE,
            submit::PREFER,
            keys::OFFSET,
            keys::LENGTH,
            header::RANGE,
            header::IF_RANGE,
        ])
        .expose_headers([
            header::LOCATION,
            submit::PREFERENCE_APPLIED,
            header::RETRY_AFTER,
            header::ACCEPT_RANGES,
            header::CONTENT_RANGE,
            header::ETAG,
            keys::OFFSET,
            keys::LENGTH,
        ])
        .max_age(Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        async fn panics() {
            panic!("on purpose");
        }
        let router = guarded(Router::new().route("/", get(panics)));
        let answer = TowerToHyperService::new(router).call(Request::new(Body::empty())).await.expect("an answer");
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.expect("a body");
        assert!(String::from_utf8_lossy(&body).contains("\"code\":\"internal\""));
    }
}
