//! The data types of the HTTP interface, as the server sends them and clients read them: one definition for both.
//!
//! `server/http/openapi.json` describes them for clients in other languages. Readers ignore members that they do not know, so
//! that newer servers can say more.

mod job;
mod model;
mod problem;

pub use job::JobStatus;
pub use model::{ClassFacts, ModelFacts, Verdict};
pub use problem::Problem;
