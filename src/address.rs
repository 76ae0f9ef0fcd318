//! Addresses as people write them: removes passwords before they are shown, and checks port numbers.

/// An address without its user information (RFC 3986, section 3.2.1), which may hold a password. In text that is not an
/// address, everything before the last `@` counts as user information.
#[must_use]
pub(crate) fn without_user(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (&text[..scheme.len() + 3], rest));
    format!("{scheme}{}", rest.rsplit_once('@').map_or(rest, |(_, rest)| rest))
}

/// Whether an authority (RFC 3986, section 3.2) has no port, or a port from 1 to 65535.
#[cfg(all(any(feature = "cli", feature = "server"), not(target_arch = "wasm32")))]
#[must_use]
pub(crate) fn port_is_good(authority: &str) -> bool {
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let port = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => place.find(':').map_or("", |at| &place[at..]),
    };
    match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse().is_ok_and(|port: u16| port > 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_left_out() {
        for (text, shown) in [
            ("http://anna:geheim@photos.example:8080/a", "http://photos.example:8080/a"),
            ("http://anna:ge@heim@photos.example", "http://photos.example"),
            ("http://anna:ge/heim@photos.example", "http://photos.example"),
            ("anna:geheim@photos.example", "photos.example"),
            ("http://anna:geheim@", "http://"),
            ("https://photos.example", "https://photos.example"),
            ("http://[::1]:80", "http://[::1]:80"),
            ("", ""),
        ] {
            assert_eq!(without_user(text), shown);
        }
    }

    #[cfg(any(feature = "cli", feature = "server"))]
    #[test]
    fn ports_are_numbers_in_their_range() {
        for good in ["a", "a:1", "a:65535", "[::1]", "[::1]:80", "u:99999@a", "u:p@a:8080"] {
            assert!(port_is_good(good), "{good}");
        }
        for bad in ["a:0", "a:", "a:65536", "a:99999", "a:+80", "a:x", "[::1]:0", "[::1]x", "u@a:99999"] {
            assert!(!port_is_good(bad), "{bad}");
        }
    }
}
