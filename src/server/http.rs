//! The server's HTTP interface.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::store::capability::Id;

mod about;
mod answer;
mod body;
mod classifiers;
mod client;
pub(super) mod connection;
mod filters;
mod guard;
mod heads;
mod jobs;
mod keys;
mod models;
mod openapi;
mod page;
mod problem;
mod range;
pub(super) mod routes;
mod submit;
pub(super) mod telemetry;
mod upload;
mod vault;

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = std::convert::Infallible;

    /// The id in an address. One that is not valid text is treated as unknown.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        Ok(id.map_or_else(|_| String::new(), |Path(id)| id).into())
    }
}
