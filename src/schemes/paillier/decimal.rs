//! Converts numbers with a decimal point from and to text. In the browser, its own functions do this, because those of Rust's
//! library would make up a tenth of the download.

/// Reads digits with at most one point, an optional sign and an optional exponent, as Rust does.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn parse(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Does the same in the browser. JavaScript's `Number` rounds as Rust does, but also accepts spaces, hexadecimal digits and an
/// empty string.
#[cfg(target_arch = "wasm32")]
pub(super) fn parse(text: &str) -> Option<f64> {
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if text.is_empty() || !text.chars().all(allowed) {
        return None;
    }
    Some(wasm_bindgen::JsValue::from_str(text).unchecked_into_f64()).filter(|number| !number.is_nan())
}

/// The shortest text that is read as this number, for numbers from 0.1 to 300.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn text(number: f64) -> String {
    number.to_string()
}

/// Does the same in the browser. JavaScript's texts are also the shortest, and differ only for far larger and smaller numbers.
#[cfg(target_arch = "wasm32")]
pub(super) fn text(number: f64) -> String {
    js_sys::Number::from(number).to_string_with_radix(10).map(String::from).unwrap_or_default()
}
