//! The client of a server: what to send, when to wait, and when to try again. It does no input or output itself.
//!
//! A [`Conversation`] asks its driver to exchange a [`Request`] for an [`Answer`], or to pause, until it is done. The command
//! line drives it with an HTTP library, the vault has the site's page exchange the requests, and Node uses `fetch`; so all
//! three follow the same protocol. A driver resolves the paths of requests against the address of one server, and never
//! sends them anywhere else: whoever knows the id of a job, a model or keys can use it.
//!
//! | operation | requests |
//! |---|---|
//! | [`filter`] | `POST v1/filters/{name}`; if the answer is a job: its state until it ends, its result, `DELETE` |
//! | [`send_keys`] | `POST v1/keys`, then `PATCH` for each piece; after a broken connection, `HEAD` tells where to go on |
//! | [`train`] | `POST v1/models` with labelled pictures, as `filter` |
//! | [`classify`] | `POST v1/classifiers/{id}` with a picture, as `filter` |
//! | [`network`] | `GET v1/models/{id}/file`: the public part of a network |
//! | [`ask`] | `POST v1/classifiers/{id}` with an encrypted picture, as `filter` |
//! | [`look`] | `GET v1` |
//! | [`delete`], [`forget`] | `DELETE` of keys or a model |

mod conversation;
mod jobs;
mod keys;
mod operations;
mod request;
#[cfg(test)]
mod tests;

pub use conversation::{Conversation, Phase, Progress, Step};
pub use keys::send_keys;
pub use operations::{ask, classify, delete, filter, forget, look, network, train};
pub use request::{Answer, Body, Keep, Request};
