//! Exchange with python-paillier (`phe`): its public keys and its encrypted numbers with exponent 0.
//!
//! Both use the base `1 + n`, so a ciphertext is the same number in both. A public key is a JSON web key as `phe`'s own
//! command line writes it (`"kty": "DAJ"`, `n` as base64url of its big-endian bytes); encrypted numbers are the JSON of
//! `phe`'s documentation on serialisation: `{"public_key": {"n": ...}, "values": [[ciphertext, exponent], ...]}`,
//! numbers as decimal text, since JSON's own numbers are too short.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use num_bigint::BigUint;
use serde_json::{Value, json};

use super::ciphertext::Ciphertext;
use super::key::PublicKey;
use crate::error::{Code, Error, Result};

/// The longest decimal number that is read: 8192 bits have 2,467 digits.
const MAX_DIGITS: usize = 2_500;

/// A public key as JSON web key.
#[must_use]
pub fn write_public_key(key: &PublicKey) -> String {
    json!({
        "kty": "DAJ",
        "alg": "PAI-GN1",
        "n": URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
        "key_ops": ["encrypt"],
        "kid": format!("safelight {}", key.id()),
    })
    .to_string()
}

/// Reads a public key: a JSON web key, or an object with `n` as decimal text.
///
/// # Errors
/// [`Code::BadArgument`] if the text is something else, [`Code::BadModulus`].
pub fn read_public_key(text: &str) -> Result<PublicKey> {
    read_key(&parse(text)?)
}

/// Encrypted numbers as JSON.
#[must_use]
pub fn write_numbers(key: &PublicKey, numbers: &[Ciphertext]) -> String {
    let values: Vec<Value> = numbers.iter().map(|c| json!([c.number().to_string(), 0])).collect();
    json!({ "public_key": { "n": key.n().to_string() }, "values": values }).to_string()
}

/// Reads encrypted numbers, each checked to be a ciphertext of the key that is given with them.
///
/// # Errors
/// [`Code::BadArgument`] if the text is something else or an exponent is not 0, [`Code::BadModulus`],
/// [`Code::CiphertextOutOfRange`], [`Code::CiphertextNotUnit`].
pub fn read_numbers(text: &str) -> Result<(Arc<PublicKey>, Vec<Ciphertext>)> {
    let document = parse(text)?;
    let key = Arc::new(read_key(&document["public_key"])?);
    let values = document["values"].as_array().ok_or_else(|| bad("\"values\" must be a list"))?;
    let read = |value: &Value| {
        if value[1].as_i64() != Some(0) {
            return Err(bad(
                "an encrypted number has an exponent other than 0; encrypt integers, or use decrease_exponent_to",
            ));
        }
        key.ciphertext(&decimal(&value[0])?)
    };
    let numbers = values.iter().map(read).collect::<Result<_>>()?;
    Ok((key, numbers))
}

fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| bad(&error.to_string()))
}

fn read_key(value: &Value) -> Result<PublicKey> {
    if value["kty"].as_str().is_some_and(|kty| kty != "DAJ") {
        return Err(bad("the key is not of python-paillier's kind \"DAJ\""));
    }
    let n = if value["kty"].is_string() {
        let text = value["n"].as_str().ok_or_else(|| bad("\"n\" is missing"))?;
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| bad("\"n\" is not base64url"))?;
        BigUint::from_bytes_be(&bytes)
    } else {
        decimal(&value["n"])?
    };
    PublicKey::new(n)
}

fn decimal(value: &Value) -> Result<BigUint> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(bad("a number is missing")),
    };
    if text.len() > MAX_DIGITS || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad("a number is not decimal or too long"));
    }
    text.parse().map_err(|_| bad("a number is not decimal"))
}

fn bad(what: &str) -> Error {
    Error::new(Code::BadArgument, format!("this is not what python-paillier writes: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_are_refused() {
        for text in [
            "",
            "[]",
            "{}",
            "{\"n\":\"-5\"}",
            "{\"kty\":\"RSA\",\"n\":\"AQAB\"}",
            "{\"kty\":\"DAJ\",\"n\":\"!\"}",
            "{\"n\":1e99}",
        ] {
            assert_eq!(read_public_key(text).expect_err(text).kind(), Code::BadArgument, "{text}");
            assert!(read_numbers(text).is_err(), "{text}");
        }
        assert_eq!(read_public_key("{\"n\":\"15\"}").expect_err("short").kind(), Code::BadModulus);
    }
}
