//! Ranges of a result, so that interrupted downloads can be resumed (RFC 9110, section 14).

use std::ops::Range;

use axum::http::{HeaderMap, header};

use crate::error::{Code, Error, Result};

/// The requested range of `length` bytes; `None` for all of them. Requests for several ranges get all.
pub(super) fn wanted(headers: &HeaderMap, length: u64, tag: &str) -> Result<Option<Range<u64>>> {
    let field = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.to_str().unwrap_or_default());
    let Some(text) = field(header::RANGE) else { return Ok(None) };
    // A part of another result is of no use. Results have no dates, so a date never matches.
    if field(header::IF_RANGE).is_some_and(|known| known != tag) {
        return Ok(None);
    }
    let Some(range) = parse(text) else { return Ok(None) };
    let range = match range {
        (Some(first), last) => first..last.map_or(length, |last| last.saturating_add(1).min(length)),
        (None, Some(count)) => length.saturating_sub(count)..length,
        (None, None) => return Ok(None),
    };
    if range.is_empty() {
        let message = format!("the result has {length} bytes; the range lies outside it");
        return Err(Error::new(Code::RangeNotSatisfiable, message));
    }
    Ok(Some(range))
}

/// Whether the client already has this result, according to `If-None-Match` (RFC 9110, section 13.1.2).
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let fields = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    // Our tags contain no comma.
    fields
        .flat_map(|field| field.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// The numbers on both sides of the hyphen. Anything but a byte range is ignored, as the standard requires.
fn parse(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(u64::MAX))),
        _ => None,
    };
    let (first, last) = (number(first)?, number(last)?);
    let reversed = first.zip(last).is_some_and(|(first, last)| last < first);
    (unit.trim().eq_ignore_ascii_case("bytes") && !reversed).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(range: &'static str, condition: Option<&'static str>) -> Result<Option<Range<u64>>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(range));
        if let Some(condition) = condition {
            headers.insert(header::IF_RANGE, HeaderValue::from_static(condition));
        }
        wanted(&headers, 100, "\"tag\"")
    }

    #[test]
    fn what_a_client_has_is_known_by_its_tag() {
        for (field, known) in
            [("*", true), ("\"tag\"", true), ("\"a\", W/\"tag\"", true), ("\"a\"", false), ("tag", false)]
        {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(field))]);
            assert_eq!(is_known(&headers, "\"tag\""), known, "{field}");
        }
        assert!(!is_known(&HeaderMap::new(), "\"tag\""));
    }

    #[test]
    fn single_ranges_are_cut_to_what_is_there() {
        for (text, range) in [
            ("bytes=0-9", 0..10),
            ("bytes=90-", 90..100),
            ("bytes=90-1000", 90..100),
            ("bytes=-10", 90..100),
            ("bytes=-1000", 0..100),
            ("Bytes = 99-99999999999999999999999", 99..100),
        ] {
            assert_eq!(of(text, None), Ok(Some(range)), "{text}");
        }
        for text in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(of(text, None).map_err(|e| e.kind()), Err(Code::RangeNotSatisfiable), "{text}");
        }
    }

    #[test]
    fn whatever_else_gets_everything() {
        for text in ["bytes=5-1", "bytes=0-1,5-6", "lines=0-1", "bytes=a-", "bytes=-", "bytes", "bytes=+1-2"] {
            assert_eq!(of(text, None), Ok(None), "{text}");
        }
        assert_eq!(of("bytes=5-", Some("\"tag\"")), Ok(Some(5..100)));
        for other in ["\"other\"", "W/\"tag\"", "Mon, 30 Nov 2026 00:00:00 GMT"] {
            assert_eq!(of("bytes=5-", Some(other)), Ok(None), "{other}");
        }
        assert_eq!(wanted(&HeaderMap::new(), 100, "\"tag\""), Ok(None));
    }
}
