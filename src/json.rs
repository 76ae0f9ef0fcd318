//! Reads JSON from outside the program. Errors give the kind and the position of a fault, but never quote the text,
//! which may contain a secret key. The parser's own messages do quote it, so no other code in this crate calls the
//! parser.

use serde::Deserialize;

/// The byte order mark, which some editors write at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a document. The error message never quotes it.
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "this is the one place"))]
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(unmarked(text)).map_err(|error| explain(&error))
}

/// The text without its byte order mark, if it has one.
pub(crate) fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

fn explain(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "the JSON ends too early",
        Category::Data => "a value is missing, occurs twice or is of the wrong kind",
        Category::Syntax | Category::Io => "this is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Two {
        a: u8,
        b: Option<String>,
    }

    #[test]
    fn faults_have_a_place_and_no_content() {
        let fault = |text: &str| read::<Two>(text.as_bytes()).expect_err(text);
        assert_eq!(fault("{\n  \"a\": 1,"), "the JSON ends too early (line 2, column 9)");
        for text in [
            "\"12345678\"",
            "12345678",
            "{\"a\": 12345678}",
            "{\"a\": \"12345678\"}",
            "{\"a\": 1, \"b\": 12345678}",
            "{\"a\": 1, \"a\": 12345678}",
            "{\"a\": 1} 12345678",
            "12345678x",
            "[\"12345678",
        ] {
            assert!(!fault(text).contains("1234"), "{}", fault(text));
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(read("\u{feff}{\"a\": 1}".as_bytes()), Ok(Two { a: 1, b: None }));
    }
}
