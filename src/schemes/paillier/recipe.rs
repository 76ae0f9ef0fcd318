//! How an image was made, according to its history: the texts of the applied filters, joined by "; ". After a filter of two
//! images, the history of the second image follows in brackets.

#[cfg(feature = "client")]
mod reading;

#[cfg(feature = "client")]
pub use reading::Expectation;
#[cfg(feature = "client")]
pub(crate) use reading::{Recipe, Step};

use super::filter::Filter;

/// The history of a filter's result for images with these histories.
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
