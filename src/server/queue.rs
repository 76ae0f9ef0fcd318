//! Work: its place in the queue, its turn, and what it does.

pub(super) mod admission;
pub(super) mod jobs;
pub(super) mod task;
pub(super) mod work;
