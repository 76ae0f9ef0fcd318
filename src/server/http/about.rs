//! `GET /v1` and `GET /v1/health`: what the server offers, and whether it is up.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::api::{About, Limits};
use crate::learn::Learner;
use crate::schemes::ckks::parameters::ALL;
use crate::schemes::paillier::Filter;
use crate::schemes::{self, Scheme};
use crate::server::app::App;
use crate::server::store::models::description::describe;
use crate::wire;

/// Describes the server. `vault` is the address of its vault.
pub(super) async fn about(State(app): State<Arc<App>>, vault: Option<String>) -> Response {
    let limits = &app.settings.limits;
    Json(About {
        name: "safelight".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        wire_version: wire::VERSION,
        schemes: schemes::ALL.iter().filter_map(|scheme| offer(scheme)).collect(),
        filters: Filter::catalogue().iter().filter_map(|filter| serde_json::to_value(filter).ok()).collect(),
        learners: Learner::ALL.iter().map(|learner| learner.as_str().into()).collect(),
        ckks_parameters: ALL.iter().map(|set| set.name.into()).collect(),
        models: app.store.models.operators().iter().map(|(name, model)| describe(name, model)).collect(),
        limits: Limits {
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
        vault,
    })
    .into_response()
}

/// The facts that a client needs about a scheme.
fn offer(scheme: &Scheme) -> Option<Map<String, Value>> {
    let facts = scheme.offer?();
    let name = ("name".to_owned(), scheme.name().into());
    Some([name].into_iter().chain(facts.into_iter().map(|(name, value)| (name.to_owned(), value))).collect())
}

/// Whether the server is up.
pub(super) async fn health(State(app): State<Arc<App>>) -> Response {
    let draining = app.admission.is_closed();
    let (code, status) = if draining { (StatusCode::SERVICE_UNAVAILABLE, "draining") } else { (StatusCode::OK, "ok") };
    (code, Json(serde_json::json!({ "status": status }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_scheme_is_offered_by_its_entry_in_the_list() {
        let offers: Vec<_> = schemes::ALL.iter().filter_map(|scheme| offer(scheme)).map(Value::Object).collect();
        assert!(offers.contains(&serde_json::json!({ "name": "toy", "shifts": 256 })), "{offers:?}");
    }
}
