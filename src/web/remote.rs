//! Runs conversations with a server for scripts: in the vault, in pages and in Node. See [`crate::remote`].
//!
//! The script exchanges the requests, because the way to do so differs: the vault has no connection of its own, pages
//! use `XMLHttpRequest`, and Node uses `fetch`.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Promise, Reflect, Uint8Array};
use serde::{Deserialize, Serialize};
use tsify::Tsify;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortSignal, Blob};

use super::JsResult;
use crate::api;
use crate::error::{Code, Error, Result};
use crate::remote::{self, Answer, Body, Conversation, Phase, Request, Step};
use crate::wire::MAX_HEADER;

/// A request, for the script that exchanges it. `path` is below the server's address.
#[derive(Serialize, Tsify)]
pub struct HttpRequest {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: HttpBody,
    /// Whether nothing depends on the answer.
    farewell: bool,
}

/// The body of a request: nothing, a range of the input's bytes, or the inputs in a form, one for each label.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum HttpBody {
    /// Nothing.
    Empty,
    /// A range of the input's bytes.
    Input {
        /// The first byte.
        start: f64,
        /// The byte after the last.
        end: f64,
    },
    /// The inputs in a form.
    Form {
        /// Their labels.
        labels: Vec<String>,
    },
}

/// An answer, apart from its body, a `Blob` called `body`.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct HttpAnswer {
    status: u16,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default)]
    retry_after: Option<u32>,
}

/// The progress of an operation. A `total` of 0 means unknown.
#[derive(Serialize, Tsify)]
pub struct Progress {
    /// `upload`, `work` or `download`.
    phase: &'static str,
    done: f64,
    total: f64,
}

/// A model's verdict on a picture.
#[derive(Serialize, Tsify)]
pub struct Verdict {
    label: String,
    probabilities: Option<Vec<f64>>,
}

/// A trained model.
#[derive(Serialize, Tsify)]
pub struct Model {
    id: String,
    labels: Vec<String>,
}

#[wasm_bindgen(typescript_custom_section)]
const DRIVER: &str = r#"
/** What the script does for an operation. */
export interface Driver {
  signal?: AbortSignal | undefined;
  /** Calls `sent(bytes)` and `received(bytes, total)` meanwhile. */
  exchange(
    request: HttpRequest,
    sent: (bytes: number) => void,
    received: (bytes: number, total: number) => void,
  ): Promise<HttpAnswer & { body: Blob }>;
  progress(progress: Progress): void;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// The functions that a script provides for an operation.
    #[derive(Clone)]
    #[wasm_bindgen(typescript_type = "Driver")]
    pub type Driver;
    #[wasm_bindgen(method, getter)]
    fn signal(this: &Driver) -> Option<AbortSignal>;
    #[wasm_bindgen(method, catch)]
    fn exchange(
        this: &Driver,
        request: JsValue,
        sent: &JsValue,
        received: &JsValue,
    ) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method)]
    fn progress(this: &Driver, progress: JsValue);
}

/// The server's description of itself, as JSON.
///
/// # Errors
/// Those of the server and of the connection.
#[wasm_bindgen]
pub async fn look(driver: Driver) -> JsResult<String> {
    let (json, _) = drive(&driver, remote::look().map(|json| String::from_utf8_lossy(&json).as_ref().into())).await?;
    Ok(json.as_string().unwrap_or_default())
}

/// Filters an encrypted image of `length` bytes on the server. `parameters` alternates names and values.
///
/// # Errors
/// Those of the filter and of the connection.
#[wasm_bindgen]
pub async fn filter(driver: Driver, name: String, parameters: Vec<String>, length: f64) -> JsResult<Blob> {
    let parameters: Vec<_> = parameters.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    // No filter makes an image larger; its history takes part of the header.
    let longest = bytes(length) + u64::from(MAX_HEADER);
    output(&driver, remote::filter(&name, &parameters, bytes(length), longest)).await
}

/// Sends evaluation keys of `length` bytes. Returns their path.
///
/// # Errors
/// Those of the server and of the connection.
#[wasm_bindgen(js_name = sendKeys)]
pub async fn send_keys(driver: Driver, length: f64) -> JsResult<String> {
    let (path, _) = drive(&driver, remote::send_keys(bytes(length)).map(JsValue::from)).await?;
    Ok(path.as_string().unwrap_or_default())
}

/// Trains a model on the server with labelled pictures of `length` bytes in total.
///
/// # Errors
/// Those of the training and of the connection.
#[wasm_bindgen(unchecked_return_type = "Model")]
pub async fn train(driver: Driver, learner: String, labels: Vec<String>, length: f64) -> JsResult<JsValue> {
    let conversation = remote::train(&learner, labels, bytes(length)).map(|api::Model { id, classes, .. }| {
        let labels = classes.into_iter().map(|class| class.label).collect();
        value(&Model { id, labels })
    });
    Ok(drive(&driver, conversation).await?.0)
}

/// Asks a model what a picture of `length` bytes shows.
///
/// # Errors
/// Those of the model and of the connection.
#[wasm_bindgen(unchecked_return_type = "Verdict")]
pub async fn classify(driver: Driver, model: String, media_type: String, length: f64) -> JsResult<JsValue> {
    let conversation = remote::classify(&model, &media_type, bytes(length))
        .map(|api::Verdict { label, probabilities, .. }| value(&Verdict { label, probabilities }));
    Ok(drive(&driver, conversation).await?.0)
}

/// Fetches the public part of a network.
///
/// # Errors
/// Those of the server and of the connection.
#[wasm_bindgen]
pub async fn network(driver: Driver, name: String) -> JsResult<Blob> {
    output(&driver, remote::network(&name)).await
}

/// Asks a network what an encrypted picture of `length` bytes shows. `keys` is the path of the evaluation keys.
///
/// # Errors
/// Those of the network and of the connection.
#[wasm_bindgen]
pub async fn ask(driver: Driver, network: String, keys: String, length: f64) -> JsResult<Blob> {
    output(&driver, remote::ask(&network, &keys, bytes(length))).await
}

/// Deletes the item at `path` on the server.
///
/// # Errors
/// Those of the server and of the connection.
#[wasm_bindgen(js_name = remove)]
pub async fn delete(driver: Driver, path: String) -> JsResult<()> {
    drive(&driver, remote::delete(&path).map(nothing)).await.map(drop)
}

/// Deletes the item at `path` on a best-effort basis.
///
/// # Errors
/// Only those of this module.
#[wasm_bindgen]
pub async fn forget(driver: Driver, path: String) -> JsResult<()> {
    drive(&driver, remote::forget(&path).map(nothing)).await.map(drop)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the size of a Blob")]
fn bytes(length: f64) -> u64 {
    length as u64
}

#[expect(clippy::cast_precision_loss, reason = "the size of a Blob")]
fn number(bytes: u64) -> f64 {
    bytes as f64
}

/// Converts a value for the script. This does not fail for any value of this module.
fn value(value: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(value).unwrap_or_default()
}

fn nothing((): ()) -> JsValue {
    JsValue::UNDEFINED
}

/// Runs a conversation to its end, and returns its output.
async fn output(driver: &Driver, conversation: Conversation<()>) -> JsResult<Blob> {
    let (_, output) = drive(driver, conversation.map(nothing)).await?;
    Ok(output.ok_or_else(|| Error::new(Code::Internal, "an operation ended without its output"))?)
}

/// A conversation whose outcome is a value for the script: one type, so that one driver serves all.
type Talk = Conversation<JsValue>;

/// Runs a conversation to its end. Returns its outcome and its output.
async fn drive(driver: &Driver, conversation: Talk) -> JsResult<(JsValue, Option<Blob>)> {
    let conversation = Rc::new(RefCell::new(conversation));
    let signal = driver.signal();
    let mut output = None;
    report(driver, &conversation);
    loop {
        let step = conversation.borrow_mut().step();
        match step {
            Step::Done(outcome) => {
                let value = outcome?;
                report(driver, &conversation);
                return Ok((value, output));
            }
            Step::Pause(time) => {
                report(driver, &conversation);
                pause(time, signal.as_ref()).await;
            }
            Step::Exchange(request) => {
                let answer = exchange(driver, &conversation, request, &mut output).await;
                conversation.borrow_mut().answer(answer);
            }
        }
        if signal.as_ref().is_some_and(AbortSignal::aborted) {
            conversation.borrow_mut().cancel();
        }
    }
}

fn report(driver: &Driver, conversation: &RefCell<Talk>) {
    let remote::Progress { phase, done, total } = conversation.borrow().progress();
    let phase = match phase {
        Phase::Upload => "upload",
        Phase::Work => "work",
        Phase::Download => "download",
    };
    driver.progress(value(&Progress { phase, done: number(done), total: number(total) }));
}

async fn exchange(
    driver: &Driver,
    conversation: &Rc<RefCell<Talk>>,
    request: Request,
    output: &mut Option<Blob>,
) -> Result<Answer> {
    let Request { method, path, headers, body, keep, farewell } = request;
    let body = match body {
        Body::Empty => HttpBody::Empty,
        Body::Input(range) => HttpBody::Input { start: number(range.start), end: number(range.end) },
        Body::Form(labels) => HttpBody::Form { labels },
    };
    let request = value(&HttpRequest { method, path, headers, body, farewell });
    if farewell {
        let promise =
            driver.exchange(request, &JsValue::UNDEFINED, &JsValue::UNDEFINED).map_err(|error| failure(&error))?;
        spawn_local(async { _ = JsFuture::from(promise).await });
        return Ok(Answer::default());
    }
    report(driver, conversation);
    // These closures are called while this function waits, when nothing else uses the conversation.
    let (watched, watching) = (Rc::clone(conversation), driver.clone());
    let sent = Closure::<dyn Fn(f64)>::new(move |done| {
        watched.borrow_mut().sent(bytes(done));
        report(&watching, &watched);
    });
    let (watched, watching) = (Rc::clone(conversation), driver.clone());
    let counts = keep.is_output(200);
    let received = Closure::<dyn Fn(f64, f64)>::new(move |done, total| {
        if counts {
            watched.borrow_mut().received(bytes(done), bytes(total));
            report(&watching, &watched);
        }
    });
    let promise = driver.exchange(request, sent.as_ref(), received.as_ref()).map_err(|error| failure(&error))?;
    let answer = JsFuture::from(promise).await.map_err(|error| failure(&error))?;
    let bad = || Error::new(Code::BadAnswer, "the server's answer is not valid");
    let body: Blob =
        Reflect::get(&answer, &"body".into()).ok().and_then(|body| body.dyn_into().ok()).ok_or_else(bad)?;
    let HttpAnswer { status, location, offset, retry_after } =
        serde_wasm_bindgen::from_value(answer).map_err(|_| bad())?;
    let mut answer = Answer { status, location, offset, retry_after, body: Vec::new() };
    if bytes(body.size()) > keep.longest(status) {
        return Err(keep.too_long());
    }
    if keep.is_output(status) {
        *output = Some(body);
    } else {
        let buffer = JsFuture::from(body.array_buffer()).await.map_err(|error| failure(&error))?;
        answer.body = Uint8Array::new(&buffer).to_vec();
    }
    Ok(answer)
}

/// Waits for `time`, or until the work is cancelled.
async fn pause(time: Duration, signal: Option<&AbortSignal>) {
    let mut timer = TimeoutFuture::new(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
    let waiting: Rc<RefCell<Option<Waker>>> = Rc::default();
    let woken = Rc::clone(&waiting);
    let _listener = signal.map(|signal| {
        EventListener::once(signal, "abort", move |_| {
            if let Some(waker) = woken.borrow_mut().take() {
                waker.wake();
            }
        })
    });
    std::future::poll_fn(|context| {
        if signal.is_some_and(AbortSignal::aborted) {
            return Poll::Ready(());
        }
        *waiting.borrow_mut() = Some(context.waker().clone());
        std::pin::Pin::new(&mut timer).poll(context)
    })
    .await;
}

/// Converts a script's error, which has one of our codes or comes from other code.
fn failure(error: &JsValue) -> Error {
    let text = |name: &str| Reflect::get(error, &name.into()).ok().and_then(|value| value.as_string());
    let code = text("code").and_then(|code| Code::from_name(&code)).unwrap_or(Code::BadAnswer);
    Error::new(code, text("message").unwrap_or_else(|| "the request failed".into()))
}
