//! `POST /v1/classifiers/{id}`: classifies a picture. Whether the server sees the picture depends on the kind of model
//! that the id names.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::heads::{self, First};
use super::problem::after_upload;
use super::submit::submit;
use super::upload::check_content;
use crate::error::{Code, Error, Result};
use crate::server::app::App;
use crate::server::client::Client;
use crate::server::config::Limits;
use crate::server::queue::task::Task;
use crate::server::store::capability::Id;
use crate::server::store::models::LoadedModel;
use crate::wire::Kind;

/// Classifies the picture in the body.
pub(super) async fn post(State(app): State<Arc<App>>, client: Client, id: Id, request: Request) -> Response {
    after_upload(answer(&app, client, id, request).await)
}

async fn answer(app: &Arc<App>, client: Client, id: Id, request: Request) -> Result<Response> {
    let model = app.store.models.get(&id)?;
    let keys = keys_of(request.uri())?;
    check_content(request.headers(), false)?;
    match &*model {
        LoadedModel::Open(_) => picture(app, client, id, keys, request).await,
        LoadedModel::Network(_) => encrypted(app, client, id, keys, request).await,
    }
}

/// A picture that the server sees, scrambled or not.
async fn picture(app: &Arc<App>, client: Client, model: Id, keys: Option<Id>, request: Request) -> Result<Response> {
    if keys.is_some() {
        return Err(Error::new(Code::BadArgument, "this model takes unencrypted pictures; leave out keys"));
    }
    let check = First::new(heads::picture(app.settings.limits.pictures()));
    submit(app, client, Task::ClassifyPicture { model }, request, Limits::LONGEST_PICTURE, |_| check).await
}

/// An encrypted picture.
async fn encrypted(app: &Arc<App>, client: Client, model: Id, keys: Option<Id>, request: Request) -> Result<Response> {
    let keys = keys.ok_or_else(|| {
        let message = "this network classifies encrypted pictures; add ?keys= with the id of your evaluation keys";
        Error::new(Code::BadArgument, message)
    })?;
    app.store.keys.set(&keys)?;
    let check = First::new(heads::file(&[Kind::CkksCiphertext]));
    submit(app, client, Task::ClassifyEncrypted { model, keys }, request, Limits::LONGEST_PICTURE, |_| check).await
}

/// The id of the evaluation keys, if the query has one.
fn keys_of(uri: &Uri) -> Result<Option<Id>> {
    let bad = |_| Error::new(Code::BadArgument, "the only query parameter is keys, the id of your evaluation keys");
    let Query(query) = Query::<KeysQuery>::try_from_uri(uri).map_err(bad)?;
    Ok(query.keys)
}

/// The query of a classification.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysQuery {
    keys: Option<Id>,
}
