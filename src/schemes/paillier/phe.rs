//! Exchange with python-paillier (`phe`): its keys and its encrypted numbers.
//!
//! Both use the base `1 + n`, so a ciphertext is the same number in both. A key is a JSON web key as `phe`'s own command line
//! `pheutil` writes it (`"kty": "DAJ"`, `n`, or `p` and `q`, as base64url of their big-endian bytes). Encrypted numbers are the
//! JSON of `phe`'s documentation on serialisation, `{"public_key": {"n": ...}, "values": [[ciphertext, exponent], ...]}`, or
//! one number in `pheutil`'s form, `{"v": ciphertext, "e": exponent}`. Numbers are decimal strings or JSON numbers, of any
//! length; they are written as strings, which more programs can read. Errors never quote a document, because it may contain the
//! primes.
//!
//! The value of a plaintext is the plaintext times 16 to the power of the exponent. This holds for sums and products made by
//! `phe`, so every value is a finite decimal fraction and is returned exactly.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use num_bigint::{BigInt, BigUint};
use num_traits::Signed as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::ciphertext::Ciphertext;
use super::key::PublicKey;
#[cfg(feature = "client")]
use super::secret::SecretKey;
use crate::error::{Code, Error, Result};
use crate::json;

/// The maximum number of decimal digits that are read: 8192 bits have 2,467 digits.
const MAX_DIGITS: usize = 2_500;
/// The largest absolute exponent: the smallest Python `float` has -269, and products add their exponents.
const MAX_EXPONENT: u32 = 4_096;

/// A public key as a JSON web key.
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

/// A key from python-paillier.
pub enum Key {
    /// A public key.
    Public(Box<PublicKey>),
    /// The primes of a secret key.
    #[cfg(feature = "client")]
    Secret(Box<SecretKey>),
}

/// Reads a key: a JSON web key, public or secret, or an object with `n`, or `p` and `q`, as decimal numbers or strings.
///
/// # Errors
/// [`Code::BadArgument`] if the text is something else, [`Code::BadModulus`], [`Code::BadSecretKey`].
pub fn read_key(text: &str) -> Result<Key> {
    let document: KeyDocument = parse(text)?;
    match (document.p, document.q) {
        (None, None) => document.public().map(|key| Key::Public(Box::new(key))),
        #[cfg(feature = "client")]
        (Some(p), Some(q)) => {
            let web_key = document.is_web_key()?;
            let key = SecretKey::from_primes(&prime(p, web_key)?, &prime(q, web_key)?)?;
            if document.public.is_some_and(|public| public.public().is_ok_and(|public| public != **key.public())) {
                return Err(bad("the secret key does not match the public key in it"));
            }
            Ok(Key::Secret(Box::new(key)))
        }
        _ => Err(bad("the key does not have both primes")),
    }
}

/// Encrypted numbers as JSON.
#[must_use]
pub fn write_numbers(key: &PublicKey, numbers: &[Ciphertext]) -> String {
    let values: Vec<Value> = numbers.iter().map(|c| json!([c.number().to_string(), 0])).collect();
    json!({ "public_key": { "n": key.n().to_string() }, "values": values }).to_string()
}

/// An encrypted number from python-paillier: its value is the plaintext times `16^exponent`.
pub struct EncryptedNumber {
    /// The plaintext, encrypted.
    pub ciphertext: Ciphertext,
    /// From -4096 to 4096; 0 for integers, and negative for everything that was a Python `float`.
    pub exponent: i32,
}

impl EncryptedNumber {
    /// The exact value as a decimal string, given the decrypted plaintext. It is finite: a power of 16 is a power of 2.
    #[must_use]
    pub fn value(&self, plaintext: &BigInt) -> String {
        let sign = if plaintext.is_negative() { "-" } else { "" };
        let size = plaintext.magnitude();
        let bits = 4 * u64::from(self.exponent.unsigned_abs());
        if self.exponent >= 0 {
            return format!("{sign}{}", size << bits);
        }
        // In lowest terms, size / 2^bits is a decimal fraction with as many digits as the denominator has factors of two.
        let twos = size.trailing_zeros().map_or(bits, |zeros| zeros.min(bits));
        let places = usize::try_from(bits - twos).unwrap_or(usize::MAX);
        let digits = ((size >> twos) * BigUint::from(5u8).pow(u32::try_from(places).unwrap_or(u32::MAX))).to_string();
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }
}

/// Reads encrypted numbers, and checks that each is a ciphertext of the key given with them. A single number, as `phe`'s
/// command line writes it (`{"v": ..., "e": ...}`), has no key. It is assumed to be encrypted under `own`, if that is given.
///
/// # Errors
/// [`Code::BadArgument`] if the text is something else or an exponent is below -4096 or above 4096, [`Code::BadModulus`],
/// [`Code::CiphertextOutOfRange`], [`Code::CiphertextNotUnit`].
pub fn read_numbers(text: &str, own: Option<&Arc<PublicKey>>) -> Result<(Arc<PublicKey>, Vec<EncryptedNumber>)> {
    let document: NumbersDocument = parse(text)?;
    let (key, values) = match document {
        NumbersDocument { v: Some(v), e: Some(e), values: None, .. } => {
            let own = own.ok_or_else(|| bad("its number has no key"))?;
            (Arc::clone(own), vec![(v, e)])
        }
        NumbersDocument { public_key: Some(key), values: Some(values), .. } => (Arc::new(key.public()?), values),
        _ => return Err(bad("it has neither \"public_key\" and \"values\" nor \"v\" and \"e\"")),
    };
    let read = |(ciphertext, exponent): (&RawValue, &RawValue)| {
        let ciphertext = key.ciphertext(&decimal(ciphertext)?).map_err(|error| no_ciphertext(&error))?;
        Ok(EncryptedNumber { ciphertext, exponent: read_exponent(exponent)? })
    };
    let numbers = values.into_iter().map(read).collect::<Result<_>>()?;
    Ok((key, numbers))
}

/// Fails if a plaintext is in the middle third of the range, beyond `phe`'s `max_int`: only overflowed sums and products are.
///
/// # Errors
/// [`Code::PlaintextOutOfRange`].
pub fn check_plaintext(key: &PublicKey, plaintext: &BigInt) -> Result<()> {
    if *plaintext.magnitude() < key.n() / 3u8 {
        return Ok(());
    }
    let message = "a number is beyond a third of the modulus, where python-paillier has none; use smaller numbers or a longer key";
    Err(Error::new(Code::PlaintextOutOfRange, message))
}

/// Rewords an error of [`PublicKey::ciphertext`] for numbers.
fn no_ciphertext(error: &Error) -> Error {
    let what = match error.kind() {
        Code::CiphertextNotUnit => "shares a factor with the modulus",
        _ => "is zero or not below the square of the modulus",
    };
    Error::new(error.kind(), format!("a number {what}, so it is not encrypted under this key; encrypt it again"))
}

/// A key as JSON. Numbers keep their text, because they are longer than JSON parsers expect.
#[derive(Deserialize)]
struct KeyDocument<'a> {
    kty: Option<String>,
    #[serde(borrow)]
    n: Option<&'a RawValue>,
    /// The base, which is always `n + 1`.
    #[serde(borrow)]
    g: Option<&'a RawValue>,
    #[serde(borrow)]
    p: Option<&'a RawValue>,
    #[serde(borrow)]
    q: Option<&'a RawValue>,
    #[cfg_attr(not(feature = "client"), expect(dead_code, reason = "a part of secret keys"))]
    #[serde(borrow, rename = "pub")]
    public: Option<Box<KeyDocument<'a>>>,
}

/// Encrypted numbers as JSON.
#[derive(Deserialize)]
struct NumbersDocument<'a> {
    #[serde(borrow)]
    public_key: Option<KeyDocument<'a>>,
    #[serde(borrow)]
    values: Option<Vec<(&'a RawValue, &'a RawValue)>>,
    #[serde(borrow)]
    v: Option<&'a RawValue>,
    #[serde(borrow)]
    e: Option<&'a RawValue>,
}

impl KeyDocument<'_> {
    fn public(&self) -> Result<PublicKey> {
        let n = self.n.ok_or_else(|| bad("\"n\" is missing"))?;
        let n = if self.is_web_key()? { base64_number(&string(n)?)? } else { decimal(n)? };
        if self.g.map(decimal).transpose()?.is_some_and(|g| g != &n + 1u8) {
            return Err(bad("the key's base \"g\" is not n + 1"));
        }
        PublicKey::new(n)
    }

    /// Whether the document is a JSON web key, whose numbers are base64url.
    fn is_web_key(&self) -> Result<bool> {
        match self.kty.as_deref() {
            None => Ok(false),
            Some("DAJ") => Ok(true),
            Some(_) => Err(bad("the key type is not python-paillier's \"DAJ\"")),
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    json::read(text.as_bytes()).map_err(|fault| bad(&fault))
}

fn string(value: &RawValue) -> Result<Zeroizing<String>> {
    json::read(value.get().as_bytes()).map(Zeroizing::new).map_err(|_| bad("a string is missing"))
}

/// Reads a prime. In a web key it is base64url. Elsewhere it is decimal if it has only digits, which real primes in base64url
/// never have.
#[cfg(feature = "client")]
fn prime(value: &RawValue, web_key: bool) -> Result<BigUint> {
    match decimal(value) {
        Ok(number) if !web_key || !value.get().starts_with('"') => Ok(number),
        _ => base64_number(&string(value)?),
    }
}

fn base64_number(text: &str) -> Result<BigUint> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map(Zeroizing::new);
    Ok(BigUint::from_bytes_be(&bytes.map_err(|_| bad("a number is not base64url"))?))
}

/// A decimal number, as a JSON number or a string.
fn decimal(value: &RawValue) -> Result<BigUint> {
    let text = if value.get().starts_with('"') { string(value)? } else { Zeroizing::new(value.get().to_owned()) };
    if text.is_empty() || text.len() > MAX_DIGITS || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad("a number is not a whole decimal number, or too long"));
    }
    text.parse().map_err(|_| bad("a number is not decimal"))
}

fn read_exponent(value: &RawValue) -> Result<i32> {
    let exponent = value.get().parse::<i32>().map_err(|_| bad("an exponent is not a whole number"))?;
    if exponent.unsigned_abs() > MAX_EXPONENT {
        return Err(bad("an exponent is below -4096 or above 4096"));
    }
    Ok(exponent)
}

fn bad(what: &str) -> Error {
    Error::new(Code::BadArgument, format!("this is not from python-paillier: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_are_refused() {
        let own = Arc::new(
            PublicKey::new((BigUint::from(1u8) << 2048u32) - 1_942_289u32).expect("long enough, without small factors"),
        );
        for text in [
            "",
            "[]",
            "{}",
            "{\"n\":\"-5\"}",
            "{\"n\":-5}",
            "{\"n\":\"\"}",
            "{\"n\":null}",
            "{\"n\":[5]}",
            "{\"kty\":\"RSA\",\"n\":\"AQAB\"}",
            "{\"kty\":\"DAJ\",\"n\":\"!\"}",
            "{\"kty\":\"DAJ\",\"n\":5}",
            "{\"kty\":\"DAJ\",\"p\":\"AQAB\"}",
            "{\"n\":1e99}",
            "{\"n\":15,\"g\":15}",
            "{\"v\":5}",
            "{\"v\":5,\"e\":0.5}",
            "{\"v\":5,\"e\":4097}",
            "{\"v\":5,\"e\":-4097}",
            "{\"v\":5,\"e\":\"0\"}",
        ] {
            assert_eq!(read_key(text).err().map(|e| e.kind()), Some(Code::BadArgument), "{text}");
            assert!(read_numbers(text, Some(&own)).is_err(), "{text}");
        }
        assert_eq!(read_key("{\"n\":\"15\"}").err().map(|e| e.kind()), Some(Code::BadModulus));
        assert_eq!(read_key("{\"n\":15,\"g\":16}").err().map(|e| e.kind()), Some(Code::BadModulus));
        let (_, numbers) = read_numbers("{\"v\":\"5\",\"e\":-3}", Some(&own)).expect("a number");
        assert_eq!(numbers[0].exponent, -3);
    }

    #[test]
    fn the_middle_third_and_what_is_no_ciphertext_are_refused() {
        let own = Arc::new(
            PublicKey::new((BigUint::from(1u8) << 2048u32) - 1_942_289u32).expect("long enough, without small factors"),
        );
        let most = BigInt::from(own.n() / 3u8 - 1u8);
        for (plaintext, good) in [(-&most, true), (most.clone(), true), (-&most - 1, false), (most + 1, false)] {
            assert_eq!(check_plaintext(&own, &plaintext).is_ok(), good, "{plaintext}");
        }
        let error = read_numbers("{\"v\":0,\"e\":0}", Some(&own)).err().expect("no ciphertext");
        assert_eq!(error.kind(), Code::CiphertextOutOfRange);
        assert!(!error.message().contains("photo"), "{error}");
    }

    #[test]
    fn values_are_exact() {
        let own = Arc::new(
            PublicKey::new((BigUint::from(1u8) << 2048u32) - 1_942_289u32).expect("long enough, without small factors"),
        );
        let (_, mut numbers) = read_numbers("{\"v\":\"5\",\"e\":0}", Some(&own)).expect("a number");
        let mut value = |plaintext: i64, exponent| {
            numbers[0].exponent = exponent;
            numbers[0].value(&BigInt::from(plaintext))
        };
        assert_eq!(value(-7, 0), "-7");
        assert_eq!(value(5, 2), "1280");
        assert_eq!(value(5 << 20, -5), "5");
        assert_eq!(value(-8, -1), "-0.5");
        assert_eq!(value(1, -1), "0.0625");
        assert_eq!(value(-401, -2), "-1.56640625");
        assert_eq!(value(0, -14), "0");
        assert_eq!(value(0, 3), "0");
        assert_eq!(value(1, -2), "0.00390625");
    }
}
