//! JSON from outside. What is wrong with it is told by its kind and its place: the parser's own messages quote the text, which
//! may hold a secret key. So nothing else in this crate calls the parser.

use serde::Deserialize;

/// The mark that some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a document, or says what is wrong with it, without a word of it.
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "this is the one place"))]
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(unmarked(text)).map_err(|error| explain(&error))
}

/// A text without the byte order mark, if there is one.
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
