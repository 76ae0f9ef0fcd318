//! The operations, apart from sending keys.

use super::conversation::Conversation;
use super::jobs::work;
use super::request::{Body, Keep, Request, quote};
use crate::api::{Model, Verdict};
use crate::error::{Code, Error};
use crate::wire::MEDIA_TYPE;

/// The longest description of a server in bytes. Much of it is the operator's models.
const LONGEST_ABOUT: u64 = 1 << 22;
/// The longest description of a model in bytes, and its greatest number of classes.
const LONGEST_MODEL: u64 = 1 << 20;
const MOST_CLASSES: usize = 10_000;
/// The longest public part of a network in bytes.
const LONGEST_NETWORK: u64 = 1 << 26;
/// The longest encrypted answer of a network in bytes.
const LONGEST_SCORES: u64 = 1 << 24;

/// What the server says about itself, as JSON. A very simple server may have no answer.
///
/// # Errors
/// Those of the server and of the connection.
pub fn look() -> Conversation<Vec<u8>> {
    Conversation::new(0, |line| async move {
        let request = Request::new("GET", "v1".into()).keep(Keep::Memory(LONGEST_ABOUT));
        Ok(line.expect(200, request).await?.body)
    })
}

/// Has an encrypted image of `length` bytes (or two, one after the other) filtered. The output is the encrypted result, of at
/// most `longest` bytes.
///
/// # Errors
/// Those of the filter and of the connection.
pub fn filter(name: &str, parameters: &[(String, String)], length: u64, longest: u64) -> Conversation<()> {
    let parameters: Vec<_> =
        parameters.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value))).collect();
    let mark = if parameters.is_empty() { "" } else { "?" };
    let path = format!("v1/filters/{}{mark}{}", quote(name), parameters.join("&"));
    Conversation::new(length, move |line| async move {
        let request = Request::new("POST", path).body(MEDIA_TYPE, Body::Input(0..length)).keep(Keep::Output(longest));
        work(&line, request).await.map(drop)
    })
}

/// Has a model learn from labelled pictures: the inputs, `length` bytes in all, one for each label. Anyone who knows the
/// model's id can use it.
///
/// # Errors
/// Those of the training and of the connection.
pub fn train(learner: &str, labels: Vec<String>, length: u64) -> Conversation<Model> {
    let path = format!("v1/models?learner={}", quote(learner));
    Conversation::new(length, move |line| async move {
        let request = Request { body: Body::Form(labels), ..Request::new("POST", path) };
        let answer = work(&line, request.keep(Keep::Memory(LONGEST_MODEL))).await?;
        let model: Model = answer.json("the description of the model")?;
        let classes = 1..=MOST_CLASSES;
        if classes.contains(&model.classes.len()) && quote(&model.id) == model.id { Ok(model) } else { Err(bad()) }
    })
}

/// Asks a model what a picture shows: a file of this media type and `length` bytes, which the server sees.
///
/// # Errors
/// Those of the model and of the connection.
pub fn classify(model: &str, media_type: &str, length: u64) -> Conversation<Verdict> {
    let path = format!("v1/classifiers/{}", quote(model));
    let media_type = media_type.to_owned();
    Conversation::new(length, move |line| async move {
        let request = Request::new("POST", path).body(&media_type, Body::Input(0..length));
        work(&line, request.keep(Keep::Memory(LONGEST_MODEL))).await?.json("what the server says about the picture")
    })
}

/// Fetches the public part of a network: its input format and its labels. It is the output.
///
/// # Errors
/// Those of the server and of the connection.
pub fn network(name: &str) -> Conversation<()> {
    let path = format!("v1/models/{}/file", quote(name));
    Conversation::new(0, |line| async move {
        line.expect(200, Request::new("GET", path).keep(Keep::Output(LONGEST_NETWORK))).await.map(drop)
    })
}

/// Asks a network what an encrypted picture of `length` bytes shows. `keys` is the path of the evaluation keys, from
/// [`send_keys`](super::send_keys). The output is the encrypted answer.
///
/// # Errors
/// Those of the network and of the connection; [`Code::KeysNotFound`] if the keys have expired.
pub fn ask(network: &str, keys: &str, length: u64) -> Conversation<()> {
    let id = keys.rsplit('/').next().unwrap_or_default();
    let path = format!("v1/classifiers/{}?keys={}", quote(network), quote(id));
    Conversation::new(length, move |line| async move {
        let request = Request::new("POST", path).body(MEDIA_TYPE, Body::Input(0..length));
        work(&line, request.keep(Keep::Output(LONGEST_SCORES))).await.map(drop)
    })
}

/// Deletes what the server keeps under this path: `v1/keys/{id}` or `v1/models/{id}`.
///
/// # Errors
/// Those of the server and of the connection.
pub fn delete(path: &str) -> Conversation<()> {
    let path = path.to_owned();
    Conversation::new(0, |line| async move { line.expect(204, Request::new("DELETE", path)).await.map(drop) })
}

/// The same on a best-effort basis: a server that is gone, or has forgotten it, keeps nothing.
pub fn forget(path: &str) -> Conversation<()> {
    let path = path.to_owned();
    Conversation::new(0, |line| async move {
        line.farewell(path).await;
        Ok(())
    })
}

fn bad() -> Error {
    Error::new(Code::BadAnswer, "the server sent an invalid answer")
}
