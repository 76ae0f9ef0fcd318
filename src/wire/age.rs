//! Files protected by a passphrase, in the age format (version 1, <https://age-encryption.org/v1>).
//!
//! A file begins with a text header: the version, one recipient stanza of type `scrypt`, and an HMAC. Then come a nonce and the
//! payload in chunks of 64 KiB, each encrypted with ChaCha20-Poly1305. Only key files are protected here, which fit into one
//! chunk; longer payloads, and files for recipients other than a passphrase, are refused. The programs `age` and `rage` read
//! files written here, and files that they write with a passphrase are read here, as bytes or as text (`-a`).

mod armor;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::math::random;
use crate::wire::AGE_MAGIC as MAGIC;

/// The longest payload in bytes: one chunk.
pub const MAX_PAYLOAD: usize = 1 << 16;
/// The cost of each guess: scrypt with `N = 2^17`, `r = 8`, `p = 1` takes 128 MiB, and about half a second in a browser.
pub const WORK_FACTOR: u8 = 17;
/// The highest cost of a file that is accepted: 1 GiB.
pub const MAX_WORK_FACTOR: u8 = 20;

const SALT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
/// The nonce of the only, and therefore last, chunk of a payload.
const LAST_CHUNK: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

pub use super::is_age;

/// Protects a payload of at most [`MAX_PAYLOAD`] bytes.
///
/// # Errors
/// [`Code::BadArgument`] for an empty passphrase or a longer payload, [`Code::NoRandomness`].
pub fn protect(payload: &[u8], passphrase: &str) -> Result<Vec<u8>> {
    protect_with(payload, passphrase, WORK_FACTOR)
}

fn protect_with(payload: &[u8], passphrase: &str, work_factor: u8) -> Result<Vec<u8>> {
    if passphrase.is_empty() {
        return Err(Error::new(Code::BadArgument, "an empty passphrase protects nothing; enter one"));
    }
    if payload.len() > MAX_PAYLOAD {
        return Err(Error::new(Code::BadArgument, "only key files can be protected, and this is longer than any"));
    }
    let mut rng = random::system();
    let mut file_key = Zeroizing::new([0; 16]);
    let (mut salt, mut nonce) = ([0; 16], [0; 16]);
    for bytes in [&mut *file_key, &mut salt, &mut nonce] {
        random::fill(&mut rng, bytes)?;
    }
    let wrap = wrapping_key(passphrase, salt, work_factor)?;
    let body = aead_seal(&wrap, [0; 12], &*file_key)?;
    let payload_key = payload_key(&file_key, &nonce)?;

    let mut header = MAGIC.to_vec();
    header.extend(format!("-> scrypt {} {work_factor}\n{}\n---", BASE64.encode(salt), BASE64.encode(body)).bytes());
    let mac = header_mac(&file_key, &header)?.finalize().into_bytes();
    let mut file = header;
    file.extend(format!(" {}\n", BASE64.encode(mac)).bytes());
    file.extend(nonce);
    file.extend(aead_seal(&payload_key, LAST_CHUNK, payload)?);
    Ok(file)
}

/// Decrypts a protected file.
///
/// # Errors
/// [`Code::NotSafelight`] if it is not an age file, [`Code::WrongPassphrase`], [`Code::TooCostly`] above [`MAX_WORK_FACTOR`],
/// [`Code::BadHeader`] if it is for other recipients or longer than a key, [`Code::Truncated`], [`Code::Damaged`].
pub fn open(file: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>> {
    let file = unarmored(file)?;
    let parts = Parts::read(&file)?;
    let wrap = wrapping_key(passphrase, parts.salt, parts.work_factor)?;
    let wrong = || Error::new(Code::WrongPassphrase, "wrong passphrase for this file; type it again");
    let opened = aead_open(&wrap, [0; 12], &parts.body).ok_or_else(wrong)?;
    let file_key = Zeroizing::new(<[u8; 16]>::try_from(opened.as_slice()).map_err(|_| damaged())?);
    header_mac(&file_key, parts.signed)?.verify_slice(&parts.mac).map_err(|_| damaged())?;
    let payload_key = payload_key(&file_key, parts.nonce)?;
    aead_open(&payload_key, LAST_CHUNK, parts.payload).ok_or_else(damaged)
}

/// The cost of decrypting a file: the binary logarithm of scrypt's `N`. Nothing else is verified.
///
/// # Errors
/// As [`open`], except for the passphrase and damage.
pub fn cost(file: &[u8]) -> Result<u8> {
    Parts::read(&unarmored(file)?).map(|parts| parts.work_factor)
}

/// The bytes of a file that may be written as text.
fn unarmored(file: &[u8]) -> Result<Cow<'_, [u8]>> {
    if file.starts_with(MAGIC) { Ok(Cow::Borrowed(file)) } else { armor::read(file).map(Cow::Owned) }
}

/// The parts of an age file, not verified.
struct Parts<'a> {
    salt: [u8; 16],
    work_factor: u8,
    /// The wrapped file key.
    body: [u8; 32],
    /// What the header's MAC covers.
    signed: &'a [u8],
    mac: [u8; 32],
    nonce: &'a [u8; 16],
    payload: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(file: &'a [u8]) -> Result<Self> {
        if !file.starts_with(MAGIC) {
            return Err(not_age());
        }
        let mut lines = Lines { file, at: MAGIC.len() };
        let stanza = lines.next()?;
        let Some(arguments) = stanza.strip_prefix("-> scrypt ") else {
            let message = "this file is for other recipients, not a passphrase; decrypt it with age";
            return Err(Error::new(Code::BadHeader, message));
        };
        let (salt, factor) = arguments.split_once(' ').ok_or_else(malformed)?;
        let salt = decode(salt)?;
        let work_factor = work_factor(factor)?;
        let body = decode(lines.next()?)?;
        let start = lines.at;
        let mac = lines.next()?.strip_prefix("--- ").ok_or_else(malformed)?;
        let mac = decode(mac)?;
        let signed = file.get(..start + 3).ok_or_else(malformed)?;
        let rest = file.get(lines.at..).ok_or_else(truncated)?;
        let (nonce, payload) = rest.split_first_chunk().ok_or_else(truncated)?;
        if payload.len() > MAX_PAYLOAD + 16 {
            return Err(Error::new(Code::BadHeader, "this file is longer than any key; decrypt it with age"));
        }
        Ok(Self { salt, work_factor, body, signed, mac, nonce, payload })
    }
}

/// The lines of the header.
struct Lines<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a str> {
        let rest = self.file.get(self.at..).unwrap_or_default();
        let end = rest.iter().take(256).position(|byte| *byte == b'\n');
        let Some(end) = end else { return Err(if rest.len() < 256 { truncated() } else { malformed() }) };
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| malformed())
    }
}

/// A decimal number without leading zero, small enough.
fn work_factor(text: &str) -> Result<u8> {
    let plain = !text.starts_with('0') && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || text.len() > 3 {
        return Err(malformed());
    }
    match text.parse::<u8>() {
        Ok(factor) if factor <= MAX_WORK_FACTOR => Ok(factor),
        _ => Err(Error::new(
            Code::TooCostly,
            format!("this file takes 2^{text} steps of scrypt, more than 2^{MAX_WORK_FACTOR}; protect it again"),
        )),
    }
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N]> {
    BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(malformed)
}

fn wrapping_key(passphrase: &str, salt: [u8; 16], work_factor: u8) -> Result<Zeroizing<[u8; 32]>> {
    let params = scrypt::Params::new(work_factor, 8, 1).map_err(|_| malformed())?;
    let mut key = Zeroizing::new([0; 32]);
    let salt = [SALT_LABEL, &salt].concat();
    scrypt::scrypt(passphrase.as_bytes(), &salt, &params, &mut *key).map_err(|_| malformed())?;
    Ok(key)
}

fn header_mac(file_key: &[u8; 16], header: &[u8]) -> Result<Hmac<Sha256>> {
    let key = random::derive(&[], file_key, b"header")?;
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&*key).map_err(|_| malformed())?;
    mac.update(header);
    Ok(mac)
}

fn payload_key(file_key: &[u8; 16], nonce: &[u8; 16]) -> Result<Zeroizing<[u8; 32]>> {
    random::derive(nonce, file_key, b"payload")
}

fn aead_seal(key: &[u8; 32], nonce: [u8; 12], plaintext: &[u8]) -> Result<Vec<u8>> {
    ChaCha20Poly1305::new(key.into()).encrypt(&nonce.into(), plaintext).map_err(|_| malformed())
}

fn aead_open(key: &[u8; 32], nonce: [u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    ChaCha20Poly1305::new(key.into()).decrypt(&nonce.into(), sealed).ok().map(Zeroizing::new)
}

fn not_age() -> Error {
    Error::new(Code::NotSafelight, "this is not a protected key file: it is not in the age format")
}

fn truncated() -> Error {
    Error::new(Code::Truncated, "the protected file is cut short; get the whole file again")
}

fn malformed() -> Error {
    Error::new(Code::BadHeader, "the protected file's header is invalid; get the file again")
}

fn damaged() -> Error {
    Error::new(Code::Damaged, "the protected file is damaged; get the whole file again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(file: &[u8], passphrase: &str) -> Result<Vec<u8>> {
        open(file, passphrase).map(|payload| payload.to_vec())
    }

    /// Cheap to open.
    fn cheap(payload: &[u8]) -> Vec<u8> {
        protect_with(payload, "pass", 4).expect("protected")
    }

    fn code(file: &[u8]) -> Code {
        opens(file, "pass").expect_err("it must not open").kind()
    }

    #[test]
    fn what_was_protected_opens_with_its_passphrase_only() {
        for payload in [&b""[..], b"a key", &vec![7; MAX_PAYLOAD]] {
            let file = protect(payload, "pass").expect("protected");
            assert_eq!(cost(&file).expect("a cost"), WORK_FACTOR);
            assert!(is_age(&file));
            assert_eq!(opens(&file, "pass").expect("opened"), payload);
            assert_eq!(opens(&file, "Pass").expect_err("another").kind(), Code::WrongPassphrase);
        }
        assert_eq!(protect(b"x", "").expect_err("empty").kind(), Code::BadArgument);
        assert_eq!(protect(&vec![0; MAX_PAYLOAD + 1], "x").expect_err("long").kind(), Code::BadArgument);
    }

    #[test]
    fn two_files_have_nothing_in_common() {
        let [a, b] = [0, 1].map(|_| cheap(b"a key"));
        assert_ne!(a[MAGIC.len() + 10..60], b[MAGIC.len() + 10..60]);
        assert_ne!(a[a.len() - 40..], b[b.len() - 40..]);
    }

    #[test]
    fn text_is_read_as_age_writes_it_and_damage_to_it_is_found() {
        let file = cheap(b"a key");
        let text = armored(&file);
        assert!(is_age(text.as_bytes()) && is_age(&text.as_bytes()[..16]));
        assert_eq!(opens(text.as_bytes(), "pass").expect("opened"), b"a key");
        assert_eq!(cost(text.as_bytes()).expect("a cost"), 4);
        assert_eq!(opens(text.as_bytes(), "Pass").expect_err("another").kind(), Code::WrongPassphrase);
        for length in 0..text.len() - 1 {
            let expected = if length < 34 { Code::NotSafelight } else { Code::Truncated };
            assert_eq!(opens(&text.as_bytes()[..length], "pass").expect_err("short").kind(), expected, "{length}");
        }
    }

    /// As `age -a` writes it.
    fn armored(file: &[u8]) -> String {
        use base64::engine::general_purpose::STANDARD;
        let body = STANDARD.encode(file);
        let lines: Vec<&str> =
            body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("text")).collect();
        format!("-----BEGIN AGE ENCRYPTED FILE-----\n{}\n-----END AGE ENCRYPTED FILE-----\n", lines.join("\n"))
    }

    #[test]
    fn every_damage_is_found() {
        let file = cheap(b"a key");
        for length in 0..file.len() {
            let expected = if length < MAGIC.len() { Code::NotSafelight } else { Code::Truncated };
            let parsed = Parts::read(&file[..length]).err().map(|error| error.kind());
            assert!(parsed.is_none_or(|code| code == expected), "{length}: {parsed:?}");
        }
        // The MAC, the payload, its end.
        let mac = file.windows(4).position(|four| four == b"--- ").expect("there is one") + 4;
        for at in [mac, file.len() - 30, file.len() - 1] {
            let mut changed = file.clone();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(matches!(code(&changed), Code::Damaged), "{at}");
        }
        assert_eq!(code(&file[..file.len() - 1]), Code::Damaged);
        assert_eq!(code(&[&file[..], b"x"].concat()), Code::Damaged);
    }

    #[test]
    fn what_is_not_ours_is_refused_before_any_work() {
        let with = |from: &str, to: &str| {
            let file = cheap(b"");
            let end = file.len() - 32;
            let text = std::str::from_utf8(&file[..end]).expect("a text").replacen(from, to, 1);
            code(&[text.as_bytes(), &file[end..]].concat())
        };
        assert_eq!(code(b"nonsense"), Code::NotSafelight);
        assert_eq!(with("-> scrypt", "-> X25519"), Code::BadHeader);
        assert_eq!(with(" 4\n", " 21\n"), Code::TooCostly);
        assert_eq!(with(" 4\n", " 999\n"), Code::TooCostly);
        assert_eq!(with(" 4\n", " 04\n"), Code::BadHeader);
        assert_eq!(with(" 4\n", " +4\n"), Code::BadHeader);
        assert_eq!(with(" 4\n", "\n"), Code::BadHeader);
        assert_eq!(with("---", "-- "), Code::BadHeader);
        assert_eq!(with("-> scrypt ", "-> scrypt\u{e9} "), Code::BadHeader);
        let long = [&cheap(b"")[..], &vec![0; MAX_PAYLOAD + 1]].concat();
        assert_eq!(code(&long), Code::BadHeader);
    }
}
