//! The addresses of the interface, and the short answers. The long ones are in `filters` and `job_routes`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Map, Value};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::config::AllowOrigins;
use super::model_routes::ModelJson;
use super::problem::{Problem, internal, method_not_allowed, not_found};
use super::vault::Vault;
use super::{
    App, client, filters, guard, job_routes, key_routes as keys, model_routes, openapi, page, telemetry, vault,
};
use crate::error::Result;
use crate::learn::Learner;
use crate::schemes::ckks::parameters::ALL;
use crate::schemes::paillier::{Filter, FilterInfo};
use crate::schemes::{self, Scheme};
use crate::wire;

/// The whole server as one service.
pub(super) fn router(app: &Arc<App>) -> Result<Router> {
    let page = page::router(&app.settings, app.vault.as_ref().map(Vault::origin))?;
    let proxies = app.settings.proxies.clone();
    let interface = interface(app).layer(from_fn_with_state(proxies, client::identify));
    let mut router = interface.merge(page);
    if let Some(vault) = &app.vault {
        router = router.layer(from_fn_with_state(vault.clone(), vault::by_host));
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

fn interface(app: &Arc<App>) -> Router {
    Router::new()
        .route("/v1", get(about))
        .route("/v1/health", get(health))
        .route("/v1/openapi.json", get(openapi::get))
        .route("/v1/filters/{name}", post(filters::post))
        .route("/v1/jobs/{id}", get(job_routes::status).delete(job_routes::delete))
        .route("/v1/jobs/{id}/events", get(job_routes::events))
        .route("/v1/jobs/{id}/result", get(job_routes::result))
        .route("/v1/models", post(model_routes::create))
        .route("/v1/models/{id}", get(model_routes::describe).delete(model_routes::delete))
        .route("/v1/models/{id}/file", get(model_routes::file))
        .route("/v1/keys", post(keys::create))
        // In one chain: what is put together later names HEAD twice in `Allow`.
        .route("/v1/keys/{id}", get(keys::describe).head(keys::offset).patch(keys::append).delete(keys::delete))
        .route("/v1/classifiers/{id}", post(model_routes::classify))
        .route("/v1/{*rest}", any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::clone(app))
        .layer(from_fn_with_state(Arc::clone(&app.guard), guard::protect))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(cors(&app.settings.allow_origins))
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
            filters::PREFER,
            keys::OFFSET,
            keys::LENGTH,
            header::RANGE,
            header::IF_RANGE,
        ])
        .expose_headers([
            header::LOCATION,
            filters::PREFERENCE_APPLIED,
            header::RETRY_AFTER,
            header::ACCEPT_RANGES,
            header::CONTENT_RANGE,
            header::ETAG,
            keys::OFFSET,
            keys::LENGTH,
        ])
        .max_age(Duration::from_hours(1))
}

/// The functions and limits of this server. The limits of one client may be lower.
#[derive(Serialize)]
struct About {
    name: &'static str,
    version: &'static str,
    wire_version: u16,
    schemes: Vec<Map<String, Value>>,
    filters: &'static [FilterInfo],
    learners: [&'static str; 5],
    /// The parameter sets of encrypted vectors.
    ckks_parameters: [&'static str; ALL.len()],
    /// The operator's models.
    models: Vec<ModelJson>,
    limits: AboutLimits,
    jobs: bool,
    /// The address of the vault, if this server has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Option<String>,
}

#[derive(Serialize)]
struct AboutLimits {
    max_bytes: u64,
    max_pixels: u64,
    max_ciphertexts: u64,
    time_limit_seconds: u64,
    uploads: usize,
    running: usize,
    waiting: usize,
    keep_results_seconds: u64,
    keep_models_seconds: u64,
    key_bytes: u64,
    keep_keys_seconds: u64,
}

async fn about(State(app): State<Arc<App>>) -> Response {
    let limits = &app.settings.limits;
    Json(About {
        name: "safelight",
        version: env!("CARGO_PKG_VERSION"),
        wire_version: wire::VERSION,
        schemes: schemes::ALL.iter().filter_map(|scheme| offer(scheme)).collect(),
        filters: Filter::catalogue(),
        learners: Learner::ALL.map(Learner::as_str),
        ckks_parameters: ALL.map(|set| set.name),
        models: app.models.operators().iter().map(|(name, model)| ModelJson::new(name, model)).collect(),
        limits: AboutLimits {
            max_bytes: limits.image.max_bytes,
            max_pixels: limits.image.max_pixels,
            max_ciphertexts: limits.image.max_ciphertexts,
            time_limit_seconds: limits.time.as_secs(),
            uploads: limits.uploads,
            running: limits.running,
            waiting: limits.waiting,
            keep_results_seconds: limits.keep_results.as_secs(),
            keep_models_seconds: limits.keep_models.as_secs(),
            key_bytes: limits.key_bytes.min(limits.client.key_bytes),
            keep_keys_seconds: limits.keep_keys.as_secs(),
        },
        jobs: true,
        vault: app.vault.as_ref().map(|vault| vault.url.clone()),
    })
    .into_response()
}

/// What a client has to know about a scheme.
fn offer(scheme: &Scheme) -> Option<Map<String, Value>> {
    let facts = scheme.offer?();
    let name = ("name".to_owned(), scheme.name().into());
    Some([name].into_iter().chain(facts.into_iter().map(|(name, value)| (name.to_owned(), value))).collect())
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let draining = app.admission.is_closed();
    let (code, status) = if draining { (StatusCode::SERVICE_UNAVAILABLE, "draining") } else { (StatusCode::OK, "ok") };
    (code, Json(serde_json::json!({ "status": status }))).into_response()
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
