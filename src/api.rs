//! The data types of the HTTP interface, as the server sends them and clients read them: one definition for both.
//!
//! `server/http/openapi.json` describes them for clients in other languages; a test compares the two. Readers ignore members
//! that they do not know, so that newer servers can say more, and servers of others may leave out what is optional.

mod about;
mod job;
mod keys;
mod model;
mod problem;

pub use about::{About, Limits};
pub use job::{JobState, JobStatus};
pub use keys::{Key, KeySet, KeyUpload};
pub use model::{Class, Model, Network, Verdict};
pub use problem::Problem;
