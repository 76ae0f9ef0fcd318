//! Age files as text: the strict form of RFC 7468 that the age format requires.
//!
//! A first line, base64 (with padding) in lines of 64 characters of which only the last may be shorter, and a last line. Lines
//! end with LF or CRLF. White space is allowed before the first line and after the last, at most 1,024 bytes each.
//! A byte order mark is allowed at the start.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::not_age;
use crate::error::{Code, Error, Result};
use crate::wire::{AGE_ARMOR as BEGIN, MAX_AGE_SPACE, age_text};

const END: &[u8] = b"-----END AGE ENCRYPTED FILE-----";
const COLUMNS: usize = 64;

/// Decodes the text.
///
/// # Errors
/// [`Code::NotSafelight`] if the text does not start like an age file, [`Code::Truncated`] without a last line,
/// [`Code::BadHeader`] if it breaks another rule.
pub(super) fn read(text: &[u8]) -> Result<Vec<u8>> {
    let start = age_text(text);
    if text.len() - start.len() > MAX_AGE_SPACE || !start.starts_with(BEGIN) {
        return Err(not_age());
    }
    let mut lines = start[BEGIN.len()..].split(|&byte| byte == b'\n');
    // What is left of the first line.
    match lines.next().map(without_return) {
        Some([]) => {}
        _ => return Err(malformed()),
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut ended = false;
    loop {
        let line = without_return(lines.next().ok_or_else(truncated)?);
        if line == END {
            break;
        }
        // If the text is cut short, report its end.
        let wrong = || if lines.clone().next().is_none() { truncated() } else { malformed() };
        if ended || line.is_empty() || line.len() > COLUMNS {
            return Err(wrong());
        }
        bytes.extend(STANDARD.decode(line).map_err(|_| wrong())?);
        // Nothing follows a shorter line, or padding.
        ended = line.len() < COLUMNS || line.ends_with(b"=");
    }
    let rest: Vec<&[u8]> = lines.collect();
    let rest = rest.join(&b'\n');
    if rest.len() > MAX_AGE_SPACE || !rest.trim_ascii().is_empty() {
        return Err(malformed());
    }
    if bytes.is_empty() { Err(truncated()) } else { Ok(bytes) }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn truncated() -> Error {
    Error::new(Code::Truncated, "the protected file's last line is missing; get the whole file again")
}

fn malformed() -> Error {
    let message = "the protected file is not valid age text; get the file again, or decrypt it with age";
    Error::new(Code::BadHeader, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "-----BEGIN AGE ENCRYPTED FILE-----\n";
    const Z: &str = "-----END AGE ENCRYPTED FILE-----\n";

    fn code(text: &str) -> Code {
        read(text.as_bytes()).expect_err(text).kind()
    }

    #[test]
    fn only_what_the_format_allows_is_read() {
        let full = "QUFB".repeat(16);
        let good = |text: String| read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(good(format!("{A}QQ==\n{Z}")), b"A");
        assert_eq!(good(format!("{A}{full}\nQUE=\n{Z}")).len(), 50);
        assert_eq!(good(format!("{A}{full}\n{Z}")).len(), 48);
        assert_eq!(good(format!(" \n\t{A}QQ==\n{Z} \r\n\n")), b"A");
        assert_eq!(good(format!("{A}{full}\nQUE=\n{Z}").replace('\n', "\r\n")).len(), 50);
        assert_eq!(good(format!("{A}QQ==\n{}", Z.trim())), b"A");
        assert_eq!(good(format!("\u{feff}{A}QQ==\n{Z}")), b"A");

        for text in [
            format!("{A}QR==\n{Z}"),
            format!("{A}QQ\n{Z}"),
            format!("{A}QQ==\nQQ==\n{Z}"),
            format!("{A}QUFB\n{full}\n{Z}"),
            format!("{A}{full}QUFB\n{Z}"),
            format!("{A}\nQQ==\n{Z}"),
            format!("{A}QQ==\n\n{Z}"),
            format!("{A}QQ== \n{Z}"),
            format!("{A}Version: 1\n\nQQ==\n{Z}"),
            format!("{A}QQ==\n=AAAA\n{Z}"),
            format!("{A}Q!==\n{Z}"),
            format!("{A}QQ==\n{Z}x"),
            format!("{A}QQ==\n{Z}{}", " ".repeat(1025)),
            format!("{}x\nQQ==\n{Z}", A.trim()),
            format!("{A}{}==\n{full}\n{Z}", &full[..62]),
        ] {
            assert_eq!(code(&text), Code::BadHeader, "{text}");
        }
        for text in ["", "-----BEGIN AGE FILE-----\n", "x-----BEGIN AGE ENCRYPTED FILE-----\n", &A.to_lowercase()] {
            assert_eq!(code(text), Code::NotSafelight, "{text}");
        }
        assert_eq!(code(&format!("{}{A}QQ==\n{Z}", " ".repeat(1025))), Code::NotSafelight);
        for text in [
            A.to_owned(),
            A.trim().to_owned(),
            format!("{A}QQ==\n"),
            format!("{A}QQ==\n-----END AGE"),
            format!("{A}{Z}"),
        ] {
            assert_eq!(code(&text), Code::Truncated, "{text}");
        }
    }
}
