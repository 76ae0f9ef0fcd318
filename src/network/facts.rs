//! The facts that a network's file shows.

use super::wire::{LONGEST, read, read_spec};
use crate::error::Result;
use crate::wire::Kind;
use crate::wire::facts::{Facts, Opened};

/// Describes the file of a network, or of its public part, after checking all of it.
///
/// # Errors
/// As [`read`] and [`read_spec`].
pub fn describe(file: Opened<'_>) -> Result<Facts> {
    let kind = file.kind;
    let bytes = file.whole(LONGEST)?;
    let spec = if kind == Kind::NetworkFront { read_spec(&bytes)? } else { read(&bytes)?.spec().clone() };
    let (shape, features, parameters) = (spec.input().shape(), spec.input().numbers(), spec.parameters().name);
    let keys = spec.needs().len();
    let layers: Vec<String> = spec.layers().iter().map(ToString::to_string).collect();
    Ok(Facts::of_whole(bytes.len())
        .field("parameters", parameters)
        .field("width", shape.width)
        .field("height", shape.height)
        .field("channels", shape.channels)
        .field("features", features)
        .line("pictures", format!("{shape}, {features} numbers each"))
        .field("layers", layers.clone())
        .line("layers", layers.join(", "))
        .field("hidden", spec.hidden())
        .line("hidden", spec.hidden().to_string())
        .field("keys", keys)
        .field("labels", spec.labels())
        .line("labels", spec.labels().join(", "))
        .line("keys", format!("{keys} for the parameter set {parameters}")))
}
