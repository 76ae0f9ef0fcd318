//! `/v1/models` and `/v1/classifiers`: learning from pictures, and saying what others show.
//!
//! Pictures may be scrambled, and no key is needed for that; or they are encrypted, for networks, and then evaluation keys are.

use std::io::Read as _;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, body};
use multer::{Constraints, Multipart, SizeLimit};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::App;
use super::capability::{self, Id, text};
use super::key_routes::KeyJson;
use super::models::{Held, Ready};
use super::problem::{Problem, after_upload};
use super::upload::{UploadReader, check_announced};
use super::work::{self, Supervision};
use crate::error::{Code, Error, Result};
use crate::learn::{Model, Recipe, Shape, Trainer, Wishes};
use crate::network::Front;
use crate::photo::{Limits, Photo};
use crate::pipeline::keys::LoadedKeys;
use crate::watch::Watch as _;
use crate::wire;

/// The longest picture file in bytes.
const LONGEST_PICTURE: u64 = 64 << 20;

/// What a model is, as JSON.
#[derive(Serialize)]
pub(super) struct ModelJson {
    id: String,
    learner: &'static str,
    width: u32,
    height: u32,
    channels: u8,
    samples_used: usize,
    classes: Vec<ClassJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<NetworkJson>,
}

/// One of its labels.
#[derive(Serialize)]
struct ClassJson {
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<u32>,
}

/// What a client needs for a network, in words; its file has all of it.
#[derive(Serialize)]
struct NetworkJson {
    parameters: &'static str,
    /// Where pictures are encrypted.
    level: usize,
    hidden: usize,
    keys: Vec<KeyJson>,
}

impl ModelJson {
    pub(super) fn new(id: &str, held: &Held) -> Self {
        match held {
            Held::Open(model) => Self::of_model(id, model),
            Held::Network(ready) => Self::of_network(id, ready.network.front()),
        }
    }

    fn of_network(id: &str, front: &Front) -> Self {
        let Shape { width, height, channels } = front.patches().shape;
        let class = |label: &String| ClassJson { label: label.clone(), pictures: None };
        let needs = front.needs().unwrap_or_default();
        Self {
            id: id.to_owned(),
            learner: "network",
            width,
            height,
            channels,
            samples_used: front.patches().features(),
            classes: front.labels().iter().map(class).collect(),
            network: Some(NetworkJson {
                parameters: front.parameters().name,
                level: front.level(),
                hidden: front.hidden(),
                keys: needs.into_iter().map(KeyJson::of_need).collect(),
            }),
        }
    }

    fn of_model(id: &str, model: &Model) -> Self {
        let parts = model.parts();
        let Shape { width, height, channels } = parts.shape;
        let class = |(label, &pictures): (&String, &u32)| ClassJson { label: label.clone(), pictures: Some(pictures) };
        Self {
            network: None,
            id: id.to_owned(),
            learner: model.learner().as_str(),
            width,
            height,
            channels,
            samples_used: parts.places.len(),
            classes: parts.labels.iter().zip(&parts.pictures).map(class).collect(),
        }
    }
}

/// What a picture shows, as JSON.
#[derive(Serialize)]
struct VerdictJson {
    label: String,
    class: usize,
    scores: Option<Vec<f64>>,
    probabilities: Option<Vec<f64>>,
}

/// Makes a model of pictures under labels, or takes in a model file.
pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> Response {
    after_upload(answer_create(&app, request).await)
}

async fn answer_create(app: &Arc<App>, request: Request) -> Result<Response> {
    let wishes = wishes(request.uri())?;
    let content = request.headers().get(header::CONTENT_TYPE).and_then(|text| text.to_str().ok()).unwrap_or_default();
    let kind = if content.eq_ignore_ascii_case(wire::MEDIA_TYPE) {
        if wishes != Wishes::default() {
            return Err(Error::new(Code::BadArgument, "a model file was made already; leave out how to make it"));
        }
        Upload::File
    } else {
        Upload::Pictures(multer::parse_boundary(content).map_err(no_multipart)?, wishes.recipe()?)
    };
    let limits = app.settings.limits.image;
    let most = limits.max_bytes.min(wire::model::LONGEST);
    check_announced(request.headers(), most)?;
    app.models.check_room()?;
    let place = app.gate.enter()?;
    let pixels = picture_limits(app);
    let body = request.into_body();
    let model = work::on_upload(app, &place, body, most, move |reader, supervision| match kind {
        Upload::File => read_model(reader, supervision),
        Upload::Pictures(boundary, recipe) => {
            learn(reader, &boundary, recipe, &pixels, supervision).map(|model| Held::Open(Box::new(model)))
        }
    });
    let model = Arc::new(model.await?);
    let id = app.models.keep(Arc::clone(&model))?;
    let location = capability::address("models", &id)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(ModelJson::new(&id, &model))).into_response())
}

/// What an upload is.
enum Upload {
    /// The file of a model or a network.
    File,
    /// `multipart/form-data` with this boundary, each part a picture.
    Pictures(String, Recipe),
}

fn wishes(uri: &Uri) -> Result<Wishes> {
    let Query(wishes) = Query::try_from_uri(uri).map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Error::new(Code::BadArgument, format!("the query does not say how to learn: {why}"))
    })?;
    Ok(wishes)
}

fn read_model(mut reader: UploadReader, supervision: &Supervision) -> Result<Held> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    Held::read(&bytes, supervision)
}

/// Learns from the parts of the upload, one picture in memory at a time. Must run on a worker thread.
fn learn(
    reader: UploadReader,
    boundary: &str,
    recipe: Recipe,
    pixels: &Limits,
    supervision: &Supervision,
) -> Result<Model> {
    let sizes = Constraints::new().size_limit(SizeLimit::new().per_field(LONGEST_PICTURE));
    let mut parts = Multipart::with_constraints(reader.into_stream(), boundary, sizes);
    let mut trainer = Trainer::new(recipe);
    let mut number = 0;
    while let Some((label, bytes)) = Handle::current().block_on(next_picture(&mut parts))? {
        supervision.check()?;
        number += 1;
        Photo::decode(&bytes, pixels)
            .and_then(|photo| trainer.add(&label, Shape::of(&photo), photo.samples()))
            .map_err(|error| Error::new(error.kind(), format!("picture {number}: {}", error.message())))?;
    }
    trainer.finish(supervision)
}

/// The label and the file of the next part.
async fn next_picture(parts: &mut Multipart<'_>) -> Result<Option<(String, body::Bytes)>> {
    let Some(field) = parts.next_field().await.map_err(no_multipart)? else { return Ok(None) };
    let label =
        field.name().ok_or_else(|| Error::new(Code::BadArgument, "a picture has no label as its part's name"))?;
    // How browsers write a quotation mark in a part's name.
    let label = label.replace("%22", "\"");
    Ok(Some((label, field.bytes().await.map_err(no_multipart)?)))
}

fn no_multipart(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::new(Code::Internal, other.to_string()),
        },
        multer::Error::FieldSizeExceeded { limit, .. } => {
            Error::new(Code::TooLarge, format!("a picture's file is larger than {limit} bytes; make it smaller"))
        }
        multer::Error::IncompleteStream
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteFieldData { .. } => {
            Error::new(Code::Truncated, "the upload ends before its last part does; send it again")
        }
        _ => {
            let message = "send pictures as multipart/form-data, each as a part named by its label";
            Error::new(Code::BadArgument, message)
        }
    }
}

/// What a model is.
pub(super) async fn describe(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let id = text(id);
    Ok(Json(ModelJson::new(&id, &*app.models.get(&id)?)).into_response())
}

/// A model's file; of a network the public part alone.
pub(super) async fn file(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let bytes = match &*app.models.get(&text(id))? {
        Held::Open(model) => wire::model::write(model)?,
        Held::Network(ready) => wire::network::write_front(ready.network.front())?,
    };
    Ok(([(header::CONTENT_TYPE, wire::MEDIA_TYPE)], bytes).into_response())
}

/// Forgets a model.
pub(super) async fn delete(State(app): State<Arc<App>>, id: Id) -> Result<StatusCode, Problem> {
    app.models.delete(&text(id))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says what the picture in the body shows.
pub(super) async fn classify(State(app): State<Arc<App>>, id: Id, request: Request) -> Response {
    after_upload(answer_classify(&app, &text(id), request).await)
}

async fn answer_classify(app: &Arc<App>, id: &str, request: Request) -> Result<Response> {
    let model = app.models.get(id)?;
    check_announced(request.headers(), LONGEST_PICTURE)?;
    let keys = keys_of(request.uri())?;
    let place = app.gate.enter()?;
    if let Held::Network(_) = &*model {
        let keys = keys.ok_or_else(|| {
            let message = "this network classifies encrypted pictures: add ?keys= and the id of your evaluation keys";
            Error::new(Code::BadArgument, message)
        })?;
        let keys = app.keys.loaded(&keys)?;
        let answer = work::on_upload(app, &place, request.into_body(), LONGEST_PICTURE, move |reader, supervision| {
            let Held::Network(ready) = &*model else { return Err(Error::new(Code::Internal, "a model changed")) };
            classify_encrypted(reader, ready, &keys, supervision)
        });
        return Ok(([(header::CONTENT_TYPE, wire::MEDIA_TYPE)], answer.await?).into_response());
    }
    if keys.is_some() {
        return Err(Error::new(Code::BadArgument, "this model takes pictures that are not encrypted; leave out keys"));
    }
    let pixels = picture_limits(app);
    let verdict = work::on_upload(app, &place, request.into_body(), LONGEST_PICTURE, move |mut reader, _| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        let Held::Open(model) = &*model else { return Err(Error::new(Code::Internal, "a model changed")) };
        let photo = Photo::decode(&bytes, &pixels)?;
        let verdict = model.classify(Shape::of(&photo), photo.samples())?;
        Ok(VerdictJson {
            label: model.parts().labels[verdict.class].clone(),
            class: verdict.class,
            scores: verdict.scores,
            probabilities: verdict.probabilities,
        })
    });
    Ok(Json(verdict.await?).into_response())
}

/// The id of the evaluation keys, if the query has one.
fn keys_of(uri: &Uri) -> Result<Option<String>> {
    let bad =
        |_| Error::new(Code::BadArgument, "the query may say keys, the id of your evaluation keys, and nothing else");
    let Query(query) = Query::<KeysQuery>::try_from_uri(uri).map_err(bad)?;
    Ok(query.keys)
}

/// What the query of a classification says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysQuery {
    keys: Option<String>,
}

/// The encrypted scores of an encrypted picture. The set of keys is looked at first: what is missing there, or of other
/// parameters, is found before the work begins.
fn classify_encrypted(
    mut reader: UploadReader,
    ready: &Ready,
    keys: &LoadedKeys,
    supervision: &Supervision,
) -> Result<Vec<u8>> {
    let (front, ring) = (ready.network.front(), ready.circuit.ring());
    let keys = keys.for_network(front)?;
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    let picture = wire::ckks::read_ciphertext(ring, &bytes)?;
    let scores = ready.circuit.run(keys, &picture, &mut || supervision.check())?;
    wire::ckks::write_ciphertext(ring, &scores)
}

/// What a picture may be, scrambled or not.
fn picture_limits(app: &App) -> Limits {
    let limits = Limits::default();
    Limits { max_pixels: app.settings.limits.image.max_pixels.min(limits.max_pixels), ..limits }.of_scrambled()
}
