//! `POST /v1/filters/{name}`: filters an encrypted image.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::Uri;
use axum::response::Response;

use super::heads::Images;
use super::problem::after_upload;
use super::submit::submit;
use super::upload::check_content;
use crate::error::{Code, Error, Result};
use crate::schemes::paillier::Filter;
use crate::server::app::App;
use crate::server::client::Client;
use crate::server::queue::task::Task;

/// Filters the image in the body.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    client: Client,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    after_upload(answer(&app, client, name, request).await)
}

async fn answer(
    app: &Arc<App>,
    client: Client,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response> {
    let filter = parse(name, request.uri())?;
    check_content(request.headers(), false)?;
    let limits = app.settings.limits.image;
    // The limit is for one image; a filter of two takes two.
    let most = limits.max_bytes.saturating_mul(filter.inputs() as u64);
    let images = Images::new(filter.clone(), limits);
    submit(app, client, Task::Filter { filter }, request, most, |_| images).await
}

fn parse(name: Result<Path<String>, PathRejection>, uri: &Uri) -> Result<Filter> {
    let Path(name) = name.map_err(|_| Error::new(Code::UnknownFilter, "the filter's name is not UTF-8"))?;
    let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Error::new(Code::BadArgument, "the query must be of the form name=value&name=value"))?;
    Filter::parse(&name, &parameters)
}
