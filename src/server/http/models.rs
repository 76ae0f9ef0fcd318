//! `/v1/models`: training on pictures, scrambled or not, and loading models. No key is needed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::heads::{self, First};
use super::problem::{Problem, after_upload};
use super::submit::submit;
use super::upload::check_content;
use crate::error::{Code, Error, Result};
use crate::learn::Wishes;
use crate::server::app::App;
use crate::server::client::Client;
use crate::server::queue::task::{Task, form};
use crate::server::store::capability::Id;
use crate::server::store::models::LoadedModel;
use crate::server::store::models::description;
use crate::wire;

/// Trains a model on labelled pictures, or loads a model file.
pub(super) async fn create(State(app): State<Arc<App>>, client: Client, request: Request) -> Response {
    after_upload(answer(&app, client, request).await)
}

async fn answer(app: &Arc<App>, client: Client, request: Request) -> Result<Response> {
    let wishes = wishes(request.uri())?;
    check_content(request.headers(), true)?;
    let content = request.headers().get(header::CONTENT_TYPE).and_then(|text| text.to_str().ok()).unwrap_or_default();
    let most = app.settings.limits.image.max_bytes.min(crate::learn::wire::LONGEST);
    if content.eq_ignore_ascii_case(wire::MEDIA_TYPE) {
        if wishes != Wishes::default() {
            let message = "a model file is already trained; leave out the training parameters";
            return Err(Error::new(Code::BadArgument, message));
        }
        app.store.models.check_room(client)?;
        let check = |length| First::new(heads::model(length));
        return submit(app, client, Task::LoadModel {}, request, most, check).await;
    }
    let boundary = form::boundary(content)?;
    let check = First::new(heads::form(&boundary));
    let task = Task::Learn { recipe: wishes.recipe()?, boundary };
    app.store.models.check_room(client)?;
    submit(app, client, task, request, most, |_| check).await
}

fn wishes(uri: &Uri) -> Result<Wishes> {
    let Query(wishes) = Query::try_from_uri(uri).map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Error::new(Code::BadArgument, format!("the training parameters are invalid: {why}"))
    })?;
    Ok(wishes)
}

/// Describes a model.
pub(super) async fn describe(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    Ok(Json(description::describe(id.as_str(), &*app.store.models.get(&id)?)).into_response())
}

/// A model's file; for a network, only its public part.
pub(super) async fn file(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let bytes = match &*app.store.models.get(&id)? {
        LoadedModel::Open(model) => crate::learn::wire::write(model)?,
        LoadedModel::Network(ready) => crate::network::wire::write_spec(ready.network.spec())?,
    };
    Ok(([(header::CONTENT_TYPE, wire::MEDIA_TYPE)], bytes).into_response())
}

/// Deletes a model.
pub(super) async fn delete(State(app): State<Arc<App>>, id: Id) -> Result<StatusCode, Problem> {
    app.store.models.delete(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
