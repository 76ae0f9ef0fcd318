//! The facts in a model file.

use serde_json::json;

use super::wire::{LONGEST, read};
use crate::error::Result;
use crate::wire::facts::{Facts, Opened};

/// Describes the file of a model, after checking all of it.
///
/// # Errors
/// As [`read`].
pub fn describe(file: Opened<'_>) -> Result<Facts> {
    let watch = file.watch;
    let bytes = file.whole(LONGEST)?;
    let model = read(&bytes, watch)?;
    let parts = model.parts();
    let (shape, samples, kept) = (parts.shape, parts.places.len(), parts.rows.len());
    let labels: Vec<_> = parts.labels.iter().zip(&parts.pictures).collect();
    let mut facts = Facts::of_whole(bytes.len())
        .field("learner", model.learner().as_str())
        .line("learner", model.learner().as_str())
        .field("width", shape.width)
        .field("height", shape.height)
        .field("channels", shape.channels)
        .field("samples_used", samples)
        .field("pictures_kept", kept)
        .line("pictures", format!("{shape}, {samples} samples used, {kept} kept"));
    let list: Vec<_> = labels.iter().map(|(label, pictures)| json!({ "label": label, "pictures": pictures })).collect();
    facts = facts.field("labels", list);
    Ok(labels
        .iter()
        .fold(facts, |facts, (label, pictures)| facts.line("label", format!("{label}, from {pictures} pictures"))))
}
