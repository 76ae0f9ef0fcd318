//! Numbers with a decimal point, as texts. Where the browser's own functions do the same, they do it: those of Rust's
//! library are a tenth of what a browser fetches.

/// Reads digits with at most one point, a sign before them and an exponent behind them, as Rust does.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn parse(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The same: JavaScript's `Number` also takes spaces, hexadecimal digits and nothing at all, and rounds as Rust does.
#[cfg(target_arch = "wasm32")]
pub(super) fn parse(text: &str) -> Option<f64> {
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if text.is_empty() || !text.chars().all(allowed) {
        return None;
    }
    Some(wasm_bindgen::JsValue::from_str(text).unchecked_into_f64()).filter(|number| !number.is_nan())
}

/// The shortest text of a number from 0.1 to 300 that is read as the same number.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn text(number: f64) -> String {
    number.to_string()
}

/// The same: JavaScript's texts are the shortest, too, and differ for far larger and smaller numbers only.
#[cfg(target_arch = "wasm32")]
pub(super) fn text(number: f64) -> String {
    js_sys::Number::from(number).to_string_with_radix(10).map(String::from).unwrap_or_default()
}
