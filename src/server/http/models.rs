//! `/v1/models` and `/v1/classifiers`: training on pictures, and classifying others.
//!
//! Pictures may be scrambled, and no key is needed for that; or they are encrypted, for networks, and then evaluation keys are.

use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, body};
use futures_util::Stream;
use multer::{Constraints, Multipart, SizeLimit};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::App;
use super::capability::{self, Id, text};
use super::client::Client;
use super::heads::{self, First};
use super::key_routes::KeyJson;
use super::keys::Keys;
use super::models::{self, LoadedModel, Ready, Room};
use super::problem::{Problem, after_upload};
use super::spool::Stored;
use super::upload::check_content;
use super::work::{Supervision, Upload};
use crate::error::{Code, Error, Result};
use crate::learn::{Model, Recipe, Shape, Trainer, Wishes};
use crate::network::NetworkSpec;
use crate::photo::{Limits, Photo};
use crate::watch::Watch as _;
use crate::wire::{self, Kind};

/// The longest picture file in bytes.
const LONGEST_PICTURE: u64 = 64 << 20;

/// A model, as JSON.
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

/// What a client needs for a network; its file has all of it.
#[derive(Serialize)]
struct NetworkJson {
    parameters: &'static str,
    /// The level at which pictures are encrypted.
    level: usize,
    hidden: usize,
    keys: Vec<KeyJson>,
}

impl ModelJson {
    pub(super) fn new(id: &str, held: &LoadedModel) -> Self {
        match held {
            LoadedModel::Open(model) => Self::of_model(id, model),
            LoadedModel::Network(ready) => Self::of_network(id, ready.network.spec()),
        }
    }

    fn of_network(id: &str, spec: &NetworkSpec) -> Self {
        let Shape { width, height, channels } = spec.patches().shape;
        let class = |label: &String| ClassJson { label: label.clone(), pictures: None };
        let needs = spec.needs();
        Self {
            id: id.to_owned(),
            learner: "network",
            width,
            height,
            channels,
            samples_used: spec.patches().features(),
            classes: spec.labels().iter().map(class).collect(),
            network: Some(NetworkJson {
                parameters: spec.parameters().name,
                level: spec.level(),
                hidden: spec.hidden(),
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

/// A classification, as JSON.
#[derive(Serialize)]
struct VerdictJson {
    label: String,
    class: usize,
    scores: Option<Vec<f64>>,
    probabilities: Option<Vec<f64>>,
}

/// Trains a model on labelled pictures, or loads a model file.
pub(super) async fn create(State(app): State<Arc<App>>, client: Client, request: Request) -> Response {
    after_upload(answer_create(&app, client, request).await)
}

async fn answer_create(app: &Arc<App>, client: Client, request: Request) -> Result<Response> {
    let wishes = wishes(request.uri())?;
    check_content(request.headers(), true)?;
    let content = request.headers().get(header::CONTENT_TYPE).and_then(|text| text.to_str().ok()).unwrap_or_default();
    let kind = if content.eq_ignore_ascii_case(wire::MEDIA_TYPE) {
        if wishes != Wishes::default() {
            return Err(Error::new(
                Code::BadArgument,
                "a model file is already trained; leave out the training parameters",
            ));
        }
        Content::File
    } else {
        Content::Pictures(multer::parse_boundary(content).map_err(no_multipart)?, wishes.recipe()?)
    };
    app.models.check_room(client)?;
    let most = app.settings.limits.image.max_bytes.min(crate::learn::wire::LONGEST);
    let (parts, body) = request.into_parts();
    let request = (&parts.headers, body);
    let (models, pixels) = (Arc::clone(&app.models), picture_limits(app));
    let made = match kind {
        Content::File => {
            let upload = Upload::new(app, client, request, most, |length| First::new(heads::model(length)))?;
            upload.work(app, move |stored, watch| read_model(stored, models.room(client)?, watch)).await
        }
        Content::Pictures(boundary, recipe) => {
            let upload = Upload::new(app, client, request, most, |_| First::new(heads::form(&boundary)))?;
            let learn = move |stored: &Stored, watch: &Supervision| {
                learn(stored, &boundary, recipe, &pixels, models.room(client)?, watch)
            };
            upload.work(app, learn).await
        }
    };
    let (model, room) = made?;
    let model = Arc::new(model);
    let id = app.models.keep(Arc::clone(&model), room)?;
    let location = capability::address("models", &id)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(ModelJson::new(&id, &model))).into_response())
}

/// The content of an upload.
enum Content {
    /// The file of a model or a network.
    File,
    /// `multipart/form-data` with this boundary, each part a picture.
    Pictures(String, Recipe),
}

fn wishes(uri: &Uri) -> Result<Wishes> {
    let Query(wishes) = Query::try_from_uri(uri).map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Error::new(Code::BadArgument, format!("the training parameters are invalid: {why}"))
    })?;
    Ok(wishes)
}

/// Reads the file of a model or a network, when there is room for what is in it.
fn read_model(stored: &Stored, mut room: Room, watch: &Supervision) -> Result<(LoadedModel, Room)> {
    let mut head = Vec::new();
    stored.reader().take(heads::LONGEST_PART_HEADER as u64).read_to_end(&mut head)?;
    if let Some(size) = models::size(&head)? {
        room.set(size.memory.saturating_add(stored.length()))?;
    }
    let model = LoadedModel::read(&stored.bytes()?, watch)?;
    room.set(model.memory())?;
    Ok((model, room))
}

/// Trains on the parts of the upload, with one picture in memory at a time. Must run on a worker thread.
fn learn(
    stored: &Stored,
    boundary: &str,
    recipe: Recipe,
    pixels: &Limits,
    mut room: Room,
    watch: &Supervision,
) -> Result<(LoadedModel, Room)> {
    let sizes = Constraints::new().size_limit(SizeLimit::new().per_field(LONGEST_PICTURE));
    let allowance = Arc::new(AtomicU64::new(0));
    let pieces = Pieces { reader: stored.reader(), allowance: Arc::clone(&allowance), pause: false };
    let mut parts = Multipart::with_constraints(pieces, boundary, sizes);
    let mut trainer = Trainer::new(recipe);
    let mut number = 0;
    while let Some((label, bytes)) = Handle::current().block_on(next_picture(&mut parts, &allowance))? {
        watch.check()?;
        number += 1;
        room.set(trainer.memory())?;
        Photo::decode(&bytes, pixels)
            .map(Photo::into_srgb)
            .and_then(|photo| trainer.add(&label, Shape::of(&photo), photo.samples()))
            .map_err(|error| Error::new(error.kind(), format!("picture {number}: {}", error.message())))?;
    }
    room.set(trainer.memory())?;
    let model = LoadedModel::Open(Box::new(trainer.finish(watch)?));
    room.set(model.memory())?;
    Ok((model, room))
}

/// A stored form, read piece by piece. The form parser buffers everything that is ready, so it must ask again for each piece;
/// and it buffers the header of a part without a limit, so it gets no more than currently allowed.
struct Pieces<R> {
    reader: R,
    allowance: Arc<AtomicU64>,
    pause: bool,
}

/// The length of a piece.
const PIECE: usize = 16 << 10;

impl<R: Read + Unpin> Stream for Pieces<R> {
    type Item = Result<body::Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pause = !self.pause;
        if !self.pause {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut piece = vec![0; PIECE];
        let got = match self.reader.read(&mut piece) {
            Ok(0) => return Poll::Ready(None),
            Ok(got) => got,
            Err(error) => return Poll::Ready(Some(Err(error.into()))),
        };
        piece.truncate(got);
        let left = self.allowance.load(Ordering::Relaxed).checked_sub(got as u64);
        Poll::Ready(Some(match left {
            Some(left) => {
                self.allowance.store(left, Ordering::Relaxed);
                Ok(piece.into())
            }
            None => Err(heads::long_part_header()),
        }))
    }
}

/// The label and the file of the next part.
async fn next_picture(parts: &mut Multipart<'_>, allowance: &AtomicU64) -> Result<Option<(String, body::Bytes)>> {
    allowance.store((heads::LONGEST_PART_HEADER + PIECE) as u64, Ordering::Relaxed);
    let Some(field) = parts.next_field().await.map_err(no_multipart)? else { return Ok(None) };
    let label =
        field.name().ok_or_else(|| Error::new(Code::BadArgument, "a picture has no label as its part's name"))?;
    // The file itself has a limit of its own.
    allowance.store(u64::MAX, Ordering::Relaxed);
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
            Error::new(Code::Truncated, "the upload ends inside its last part; send it again")
        }
        _ => {
            let message = "send pictures as multipart/form-data, each in a part named after its label";
            Error::new(Code::BadArgument, message)
        }
    }
}

/// Describes a model.
pub(super) async fn describe(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let id = text(id);
    Ok(Json(ModelJson::new(&id, &*app.models.get(&id)?)).into_response())
}

/// A model's file; for a network, only its public part.
pub(super) async fn file(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let bytes = match &*app.models.get(&text(id))? {
        LoadedModel::Open(model) => crate::learn::wire::write(model)?,
        LoadedModel::Network(ready) => crate::network::wire::write_spec(ready.network.spec())?,
    };
    Ok(([(header::CONTENT_TYPE, wire::MEDIA_TYPE)], bytes).into_response())
}

/// Deletes a model.
pub(super) async fn delete(State(app): State<Arc<App>>, id: Id) -> Result<StatusCode, Problem> {
    app.models.delete(&text(id))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Classifies the picture in the body.
pub(super) async fn classify(State(app): State<Arc<App>>, client: Client, id: Id, request: Request) -> Response {
    after_upload(answer_classify(&app, client, &text(id), request).await)
}

async fn answer_classify(app: &Arc<App>, client: Client, id: &str, request: Request) -> Result<Response> {
    let model = app.models.get(id)?;
    let keys = keys_of(request.uri())?;
    check_content(request.headers(), false)?;
    let (parts, body) = request.into_parts();
    let request = (&parts.headers, body);
    if let LoadedModel::Network(_) = &*model {
        let id = keys.ok_or_else(|| {
            let message = "this network classifies encrypted pictures; add ?keys= with the id of your evaluation keys";
            Error::new(Code::BadArgument, message)
        })?;
        app.keys.set(&id)?;
        let keys = Arc::clone(&app.keys);
        let check = |_| First::new(heads::file(&[Kind::CkksCiphertext]));
        let upload = Upload::new(app, client, request, LONGEST_PICTURE, check)?;
        let answer = upload.work(app, move |stored, supervision| {
            let LoadedModel::Network(ready) = &*model else {
                return Err(Error::new(Code::Internal, "a model changed"));
            };
            classify_encrypted(stored, ready, &keys, &id, supervision)
        });
        return Ok(([(header::CONTENT_TYPE, wire::MEDIA_TYPE)], answer.await?).into_response());
    }
    if keys.is_some() {
        return Err(Error::new(Code::BadArgument, "this model takes unencrypted pictures; leave out keys"));
    }
    let pixels = picture_limits(app);
    let upload = Upload::new(app, client, request, LONGEST_PICTURE, |_| First::new(heads::picture(pixels)))?;
    let verdict = upload.work(app, move |stored, _| {
        let LoadedModel::Open(model) = &*model else { return Err(Error::new(Code::Internal, "a model changed")) };
        let photo = Photo::decode(&stored.bytes()?, &pixels)?.into_srgb();
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
    let bad = |_| Error::new(Code::BadArgument, "the only query parameter is keys, the id of your evaluation keys");
    let Query(query) = Query::<KeysQuery>::try_from_uri(uri).map_err(bad)?;
    Ok(query.keys)
}

/// The query of a classification.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysQuery {
    keys: Option<String>,
}

/// The encrypted scores of an encrypted picture. The set of keys is checked first, so that missing or unsuitable keys are
/// reported before the work starts.
fn classify_encrypted(
    stored: &Stored,
    ready: &Ready,
    keys: &Keys,
    id: &str,
    supervision: &Supervision,
) -> Result<Vec<u8>> {
    let (spec, ring) = (ready.network.spec(), ready.circuit.ring());
    let keys = keys.with(id, |keys| spec.take_keys(keys))?;
    let picture = crate::schemes::ckks::wire::read_ciphertext(ring, &stored.bytes()?)?;
    let scores = ready.circuit.run(keys, &picture, &mut || supervision.check())?;
    crate::schemes::ckks::wire::write_ciphertext(ring, &scores)
}

/// The limits of pictures, scrambled or not.
fn picture_limits(app: &App) -> Limits {
    let limits = Limits::default();
    Limits { max_pixels: app.settings.limits.image.max_pixels.min(limits.max_pixels), ..limits }.of_scrambled()
}
