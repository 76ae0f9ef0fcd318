//! What a network's file shows.

use super::wire::{LONGEST, read, read_front};
use crate::error::Result;
use crate::wire::Kind;
use crate::wire::facts::{Facts, Opened};

/// Describes the file of a network, or of its public part, after checking all of it.
///
/// # Errors
/// As [`read`] and [`read_front`].
pub fn describe(file: Opened<'_>) -> Result<Facts> {
    let kind = file.kind;
    let bytes = file.whole(LONGEST)?;
    let front = if kind == Kind::NetworkFront { read_front(&bytes)? } else { read(&bytes)?.front().clone() };
    let (shape, features, parameters) = (front.patches().shape, front.patches().features(), front.parameters().name);
    let keys = front.needs().len();
    Ok(Facts::of_whole(bytes.len())
        .field("parameters", parameters)
        .field("width", shape.width)
        .field("height", shape.height)
        .field("channels", shape.channels)
        .field("features", features)
        .line("pictures", format!("{shape}, {features} features each"))
        .field("hidden", front.hidden())
        .line("hidden", front.hidden().to_string())
        .field("keys", keys)
        .field("labels", front.labels())
        .line("labels", front.labels().join(", "))
        .line("keys", format!("{keys} for the parameter set {parameters}")))
}
