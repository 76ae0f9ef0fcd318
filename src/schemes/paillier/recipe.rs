//! How an image was made, as its history says: the texts of the filters applied, joined by "; ". After a filter of two
//! images, the second one's own history follows in brackets.

#[cfg(feature = "client")]
mod reading;

#[cfg(feature = "client")]
pub use reading::Expectation;
#[cfg(feature = "client")]
pub(crate) use reading::{Recipe, Step};

use super::filter::Filter;

/// The history of what a filter makes of images with these histories.
pub(crate) fn history(filter: &Filter, inputs: &[&str]) -> String {
    let mut text = filter.to_string();
    for second in inputs.iter().skip(1).filter(|history| !history.is_empty()) {
        text = format!("{text} [{second}]");
    }
    match inputs.first() {
        Some(first) if !first.is_empty() => format!("{first}; {text}"),
        _ => text,
    }
}
