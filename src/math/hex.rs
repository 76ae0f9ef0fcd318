//! Hexadecimal text for digests and keys.

/// Two lowercase hexadecimal digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(super::hex(&[]), "");
        assert_eq!(super::hex(&[0, 9, 0x0a, 0xff, 0x5c]), "00090aff5c");
    }
}
