//! The versioned format of keys, encrypted images, encrypted vectors, models and networks: version 1.
//!
//! This page is the complete specification, sufficient to write another client or server: `examples/any_server.py` is a server
//! and `tests/interop/reference.py` a client, both written from this page. `tests/vectors` has test files.
//!
//! All numbers are little-endian, with the types `u8` to `i64` of Rust; ciphertexts and numbers of keys are little-endian
//! integers of fixed length.
//!
//! # Prologue, 16 bytes
//!
//! | offset | type | content |
//! |---|---|---|
//! | 0 | 8 bytes | signature `89 53 4C 54 0D 0A 1A 0A` (as in PNG, it reveals files damaged by text mode) |
//! | 8 | u16 | format version, 1 |
//! | 10 | u8 | kind: 1 public key, 2 secret key, 3 encrypted image, 4 key for scrambled pictures, 5 model; 6 to 11 see the section on CKKS; 12 public part of a network, 13 network |
//! | 11 | u8 | scheme: 1 Paillier for kinds 1 to 3, 2 `EtC` for kind 4, 3 learning for kinds 5, 12 and 13, 4 CKKS for kinds 6 to 11 |
//! | 12 | u32 | length `h` of the header in bytes, at most 65,536 |
//!
//! The header follows, `h` bytes, then a u32: the CRC-32 (IEEE 802.3, as in zlib) of prologue and header. Public and secret
//! keys end here. The fields of the header must fill it exactly.
//!
//! # Header of a public key
//!
//! | type | content |
//! |---|---|
//! | u16 | `bits`: the length of `n`, 2048, 3072 or 4096 |
//! | 16 bytes | key id: the first 16 bytes of `SHA-256("safelight paillier key" followed by n)`, `n` as below |
//! | bits/8 bytes | `n`: odd, exactly `bits` long, without factors below 4096 |
//!
//! # Header of a secret key
//!
//! The same fields without `n`, then its two prime factors `p` and `q`, bits/16 bytes each. They differ, each is exactly bits/2
//! bits long, and their order has no meaning.
//!
//! # Header of a key for scrambled pictures
//!
//! | type | content |
//! |---|---|
//! | 8 bytes | key id: the first 8 bytes of `SHA-256("safelight etc v1 key id" followed by the key)` |
//! | 32 bytes | the key |
//!
//! # Header of an encrypted image
//!
//! | offset | type | content |
//! |---|---|---|
//! | 0 | u16 | `bits` |
//! | 2 | u8 | colour planes: 1 grey, 3 red, green, blue |
//! | 3 | u8 | border policy used by the client: 0 replicate, 1 reflect (edge pixels are not repeated), 2 zero |
//! | 4 | u32, u32 | photo's width and height in pixels, each at least 1, together at most 2^24 pixels |
//! | 12 | u16, u16 | tiles across and down, each at least 1 and at most the number of pixels |
//! | 16 | u16, u16 | halo in pixels, left and right, above and below, each at most 1024 |
//! | 20 | u8 | width of a slot in bits, 8 to 48 |
//! | 21 | 3 bytes | zero |
//! | 24 | i64, i64 | `low`, `high`: smallest and largest `raw` value that can occur |
//! | 40 | i64 | bias: a slot holds `raw + bias` |
//! | 48 | i64 | divisor, 1 to 2^31 - 1: the pixel is `floor((2 raw + divisor) / (2 divisor))` |
//! | 56 | 16 bytes | key id |
//! | 72 | bits/8 bytes | `n` |
//! | then | u8 | number of photos it is made of, 1 to 16 |
//! | then | 32 bytes each | the origin of each photo's masks, see below; all zero if unknown |
//! | then | u16 | length of the history in bytes, at most 8,192 |
//! | then | UTF-8 | history: the texts of the applied filters, joined by "; ", without control characters |
//!
//! The slots fit into a plaintext: `tiles across * tiles down * planes * slot bits < bits`. The values fit into a slot:
//! `low <= high`, `0 <= low + bias`, `high + bias < 2^(slot bits)`. The absolute values of `low` and `high`, divided by the
//! divisor, are below 2^30, and those of `low`, `high` and bias are below 2^62.
//!
//! # Frames of an encrypted image
//!
//! With `tile width = ceil(width / tiles across)` and likewise for the height, there are `rows = tile height + 2 halo` frames,
//! one per row of ciphertexts from top to bottom, all of the same length:
//!
//! | type | content |
//! |---|---|
//! | columns * bits/4 bytes | `columns = tile width + 2 halo` ciphertexts from left to right |
//! | u32 | CRC-32 of: the header's CRC-32 (u32), the frame's number counted from 0 (u32), the ciphertexts |
//!
//! The file ends after the last frame, so its length follows from its header.
//!
//! # Ciphertexts
//!
//! A ciphertext of a number `m`, `0 <= m < n`, is `c = (1 + n)^m * r^n mod n^2` (Paillier 1999), with a fresh random `r` below
//! `n`. It satisfies `0 < c < n^2` and `gcd(c, n) = 1`; every reader checks both. The second condition is checked for all
//! ciphertexts at once: their product modulo `n` must have no factor in common with `n`.
//!
//! Slot `s` of a plaintext consists of its bits from `s * slot bits` upwards. In ciphertext `(i, j)` (column `i`, row `j`),
//! slot `(plane * tiles down + v) * tiles across + u` belongs to tile `(u, v)` and holds the pixel at
//! `x = u * tile width + i - halo x`, `y = v * tile height + j - halo y` of that plane. Where that lies outside the photo (in
//! the halo, or in the overhang of the last tiles), the border policy decides what the client puts there: the nearest pixel
//! of the photo; the photo mirrored at its edge pixels, which are not repeated (`c b | a b c | b a`); or zero. A photo's
//! samples, 0 to 255, are encrypted with `low` 0, `high` 255, bias 0, divisor 1.
//!
//! Decryption omits halo and overhang from the picture. A slot in use outside `low + bias` to `high + bias`, or bits set beyond
//! the slots in use, show that the server did not do what its answer says.
//!
//! # Filters
//!
//! A filter with integer weights `w(a, b)`, `-rx <= a <= rx`, `-ry <= b <= ry`, turns the pixels `in` into the sums
//! `out(x, y) = sum of w(a, b) * in(x + a, y + b)` and divides them by an integer `d`. On an encrypted image:
//!
//! - The result's ciphertext `(i, j)` is the product of all `c(i + rx + a, j + ry + b)^w(a, b)` modulo `n^2`. There are `2 rx`
//!   fewer columns and `2 ry` fewer rows. A negative power is a power of the inverse modulo `n^2`.
//! - Each is multiplied by `1 + n * constant * (sum of 2^(s * slot bits) over the slots s in use)` modulo `n^2`, where
//!   `constant = new bias - old bias * (sum of w)`. The slots in use are the first `tiles across * tiles down * planes`.
//! - Only these fields of the header change: the halo shrinks by `rx`, `ry`; the divisor is multiplied by `d`; `low` and `high`
//!   become the smallest and largest sum that their old values allow; the bias becomes `max(0, -low)`; the filter's text is
//!   appended to the history.
//!
//! So the result is determined to the last byte. A filter that also adds `k` to each pixel adds `k * divisor` (the new divisor)
//! to `low`, `high` and `constant`. A filter of two images, which follow one another in the request, multiplies the products of
//! both: `low` and `high` are those of the sum of both sums, `constant` is the new bias minus each old bias times the sum of
//! its image's weights, and the rest of the header comes from the first image, except that the second image's origins follow
//! the first's, and its history, if not empty, follows the filter's text as ` [history]`. The two images must agree in key,
//! size, planes, tiles, halo, slot bits and divisor, and together be made of at most 16 photos.
//!
//! Readers check a header only against these rules. Before a secret key is used on an image, the owner's programs also check
//! that its header is the one that the filters of its history produce from a photo with the grid that needs the fewest
//! ciphertexts ([`crate::paillier::Layout::plan`]): otherwise, an attacker could choose the bounds to learn how large a number
//! is. `safelight decrypt --no-check` decrypts other images.
//!
//! The weights of each filter and its text are in [`crate::paillier::filter`] and [`crate::paillier::kernel`]; the mean of a
//! rectangle has all weights 1, `d` is their number, and its text is `mean size=WIDTHxHEIGHT`. The history is for people, and
//! for the owner of the key, who verifies the result against it.
//!
//! # Origins: masks that the owner can recognise
//!
//! The owner of a key can choose the masks `r^n` of a photo such that they can be derived again later. Our own program does
//! this if `p - 1` is a prime times a small number, for both primes. With `g` the smallest prime number from 3 upwards that
//! generates the group modulo `p`, the mask modulo `p^2` is `h^e` with `h = g^p` and `e` from 0 to `p - 2`; likewise for `q`.
//! The exponents of ciphertext number `t`, counted row by row from 0, halo included, come from the image's *origin*: 32 random
//! bytes, new for each photo. HKDF-SHA-256 with the origin as salt, the primes (the smaller one first, each bits/16 bytes) as
//! key material and `safelight paillier masks` as info yields a key of 32 bytes. The `ChaCha20` stream under this key with
//! nonce `t` (64 bits, with a block counter of 64 bits) yields, first for the smaller prime, then for the larger one,
//! little-endian numbers of as many bytes as the prime has, until one is from 1 to the prime minus one; the exponent is that
//! number minus one. No one else can distinguish such masks from random ones. An origin of 32 zeros means that the masks are
//! random: someone else encrypted the photo with the public key. The owner decides before decryption whether to accept such
//! images (`not_verifiable`), since a server can also put zeros there.
//!
//! A filter's result then has masks whose exponents the owner can add up. What remains without these masks is 1 modulo `n` if
//! and only if the right ciphertexts were multiplied; otherwise, the result is refused as `wrong_result`.
//!
//! # Models
//!
//! What [`crate::learn`] learned from labelled pictures. `f64` is as in IEEE 754, and never infinite or NaN. The header:
//!
//! | offset | type | content |
//! |---|---|---|
//! | 0 | u8 | method: 1 support-vector machines, 2 nearest neighbours, 3 random forest |
//! | 1 | u8 | machines: 1 one per label, 2 one per pair of labels; else 0 |
//! | 2 | u8 | kernel of machines: 1 linear, 2 Gaussian, 3 polynomial; else 0 |
//! | 3 | u8 | channels of a picture, 1 or 3 |
//! | 4 | u32, u32 | width and height of a picture in pixels |
//! | 12 | u32 | samples used of a picture |
//! | 16 | u32 | labels |
//! | 20 | u32 | pictures learned from |
//! | 24 | u32 | pictures kept |
//! | 28 | u32 | the polynomial kernel's degree, the number of neighbours or trees; else 0 |
//! | 32 | f64, f64 | gamma of the kernel, and shift of the polynomial kernel; else 0 |
//! | 48 | u64 | seed of a forest; else 0 |
//! | 56 | u64 | length of the body in bytes |
//!
//! The body follows, then a u32: the CRC-32 of the header's CRC-32 (u32) and the body. The file ends there. The body:
//!
//! | count | type | content |
//! |---|---|---|
//! | one for each label | u8, UTF-8, u32 | the label's length in bytes, the label, the number of its pictures |
//! | one for each sample used | u32 | its index in the picture, row by row, channels of a pixel side by side; ascending |
//! | one for each sample used | i64, i64 | over all pictures `p` learned from: the sum `S` of the sample, and `n` times the sum of squares minus `S^2`, for `n` pictures |
//! | one for each picture kept | u16, bytes | the number of its label, its samples used |
//! | one for each machine | see below | one per label: label 0, 1, ...; one per pair: (0, 1), (0, 2), ..., (1, 2), ... |
//!
//! A machine is its bias (f64); 1 (u8) and slope and offset (f64, f64) of its sigmoid, or 0 if it has none; the number of its
//! weights (u32), and each nonzero weight: the number of a picture kept (u32, ascending) and the weight (f64).
//!
//! A sample `p` has the value `(n p - S) / sqrt(spread)`, where `spread` is the second of its numbers, or 0 if that is 0. The
//! kernels, decisions and probabilities are defined in [`crate::learn::kernel`], [`crate::learn::committee`] and
//! [`crate::learn::sigmoid`]. A forest's trees are not in the file: they are grown again from its pictures, all of which are
//! kept.
//!
//! # CKKS
//!
//! Encrypted vectors and their keys. A *set* is one of the numbered parameter sets of `safelight::ckks::parameters`. It has a
//! degree `N` and primes, in this order: the special primes, the base prime, and one prime per level, starting with the lowest.
//! `safelight::ckks::ring` defines them. The primes of level `l` are the base prime and those of the levels 1 to `l`.
//!
//! A *polynomial* is stored as its residues modulo each prime of a basis, prime after prime: its values at the odd powers of a
//! root of unity, in the order of [`crate::math::ntt`]. Each prime has a self-contained *limb*:
//!
//! | type | content |
//! |---|---|
//! | `N * b / 8` bytes | `N` residues of `b` bits each, one after the other, lowest bit first; `b` is the length of the prime in bits, and each residue is less than the prime |
//! | u32 | CRC-32 of: the header's CRC-32 (u32), the limb's number in the file counted from 0 (u32), the residues |
//!
//! A *uniform polynomial* comes from a seed of 32 bytes and a number (u32): the residues modulo the prime at a place are the
//! words (u64) of the `ChaCha20` stream under the seed, with the nonce `number * 2^32 + place` (64 bits, with a block counter
//! of 64 bits), cut to the length of the prime, and without those words that are then not less than the prime.
//!
//! | kind | header | then |
//! |---|---|---|
//! | 6 ciphertext | set (u16), key id, level (u8), form (u8), slots (u32), scale (f64), in form 1 a seed | form 0: `c_0`, `c_1`; form 1: `c_0`, and `c_1` is the seed's uniform polynomial number 0 |
//! | 7 plaintext | set (u16), level (u8), slots (u32), scale (f64) | the polynomial |
//! | 8 public key | set (u16), key id, seed | `b`, of the highest level; `a` is the seed's number 0 |
//! | 9 switch key | set (u16), key id, entry, seed | `b` of each digit, modulo its special primes and those of the level; `a` of digit `i` is the seed's number `i` |
//! | 10 evaluation keys | set (u16), key id, number of keys (u32), an entry for each | the switch keys, each a whole file of kind 9 |
//! | 11 secret key | set (u16), key id, `N / 4` bytes | nothing |
//!
//! - A key id is the first 16 bytes of SHA-256 of the public key's set (u16), its seed, and the residues of its `b`, each as
//!   u64. Readers of a public key check it.
//! - The number of slots is a power of two, at most `N / 2`. A scale is at least 1, at most 2 to the power of the total bits of
//!   the level's primes, and at most 2^120.
//! - An entry is the purpose of a switch key (u8: 1 products, 2 an automorphism `X -> X^e`, 3 to the sparse secret of
//!   bootstrapping, 4 back from it), its level (u8), its number of special primes (u8; the last ones of the set), and `e` (u32;
//!   odd, from 3 to `2 N - 1`; 0 for other purposes). Each digit of a switch key covers as many of its level's primes as it has
//!   special primes; the last digit may cover fewer. Entries are sorted by purpose, `e`, level and special primes, without
//!   duplicates. A switch key has the set, key id and entry expected at its place.
//! - A secret key's coefficients take two bits each, lowest first: 0 for -1, 1 for 0, 2 for 1. The coefficients are stored
//!   rather than a seed, so that a file does not depend on how programs draw them. With a passphrase, it is an age file.
//!
//! The length of each file follows from its header, and readers check it before they read on.
//!
//! # Networks
//!
//! A network classifies encrypted pictures. Its public part is a file of its own, for clients:
//!
//! | type | content of the header |
//! |---|---|
//! | u16 | set of CKKS parameters |
//! | u32, u32, u8 | width and height of the pictures, each at most 256, and samples of each pixel, 1 or 3 |
//! | u8, u8, u8 | side of a patch, step from one patch to the next, cells across and down `g` |
//! | u16 | filters `K` |
//! | u16 | labels, 2 to 1000 |
//! | u16 | hidden units `U`, at most 4096; 0 for a single layer |
//! | f32 | threshold |
//! | u32 | total length of the labels in bytes |
//!
//! Then follow, for each label, its length in bytes (u8) and its UTF-8; `K` filters of `side^2 * samples` numbers, each the
//! upper half of an f32 (u16); then, as f32, `K` offsets, the means of the `D = 2 K g^2` features of a picture, and their
//! scales. The file ends with the CRC-32 of the header's CRC-32 and all of this. [`crate::network::features`] explains their
//! use.
//!
//! The network has a header of one u32: the length of the public part in bytes. Then follow that part, a whole file, and for
//! each layer (`D` to `U` and `U` to labels, or `D` to labels) its weights, output by output (upper halves, as above), and a
//! bias per output (f32). The file ends with the CRC-32 of the header's CRC-32 and all of this.
//!
//! How a picture is encoded before it is encrypted, and which keys a network needs, are in `safelight::ckks::dense` and
//! [`crate::network::Front::needs`].
//!
//! # Errors
//!
//! Every reader checks in this order and stops at the first error; nothing is repaired or skipped. The names are those of
//! [`Code`].
//!
//! | code | error |
//! |---|---|
//! | `not_safelight` | the signature, or as much of it as there is |
//! | `unsupported_version` | the version is not 1 |
//! | `bad_header` | the kind or scheme is unknown, or the header is too long |
//! | `damaged` | the header's checksum |
//! | `wrong_kind` | a file of another kind is needed here |
//! | `bad_header`, `bad_modulus`, `bad_secret_key`, `image_too_large`, `unknown_parameters` | a field of the header |
//! | `wrong_parameters` | a CKKS parameter set other than the reader's, or, in a switch key, other than its file's |
//! | `too_large` | the reader does not accept an image of this size |
//! | `foreign_key` | the image is under another key than the decrypting one, or than the first image |
//! | `images_differ` | two images that do not match |
//! | `halo_too_small` | the halo is narrower than the filter's reach |
//! | `slot_overflow` | the filter's result would not fit its slots, or its divisor is too large |
//! | `bad_filter` | the history has no room for the filter's text |
//! | `damaged` | of each frame or limb, the checksum |
//! | `residue_out_of_range` | of each limb, a residue that is not below its prime |
//! | `ciphertext_out_of_range` | of each frame, a ciphertext that is zero or not below `n^2` |
//! | `damaged` | of each frame, when it is decrypted, an impossible slot |
//! | `not_verifiable` | when the owner decrypts it, an origin of zeros, if the owner requires verification |
//! | `wrong_result` | when the owner decrypts it, values that do not match the history; of each frame, a ciphertext that does not match the header |
//! | `ciphertext_not_unit` | at the end, or when it must be inverted, a ciphertext that has a factor in common with `n` |
//! | `trailing_data` | extra data after the last frame, a key, a vector, a model or a network |
//!
//! A file that ends too early is `truncated`. Discard what a filter wrote before an error.
//!
//! # Over HTTP
//!
//! `POST /v1/filters/{name}?parameter=value` with the encrypted image as its body (media type `application/vnd.safelight`)
//! returns 200 with the filtered image, or a status of 400 or above with `application/problem+json` (RFC 9457), whose member
//! `code` is one of the names above. Filters and parameters have the names of [`crate::paillier::Filter::catalogue`]: `mean`
//! takes `radius=1` (the default) or `size=3x5`. A client may send `Prefer: respond-async`, which a server may ignore.
//! `GET /v1` describes the server as JSON: `filters` is a list of objects with `name`, and `limits.max_bytes` is the size of
//! the largest encrypted image. For pages of other origins, CORS must allow the request header `Prefer`. The full interface
//! of `safelight serve`, with jobs for long work, is described by its `GET /v1/openapi.json`.

use crate::error::{Code, Error, Result};
use crate::json::unmarked;
use crate::math::checksum;

#[cfg(feature = "client")]
pub mod age;
#[cfg(feature = "ckks")]
pub mod ckks;
pub mod image;
pub mod key;
#[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
pub mod model;
#[cfg(all(feature = "ckks", feature = "photo"))]
pub mod network;

/// The media type of every Safelight file.
pub const MEDIA_TYPE: &str = "application/vnd.safelight";
/// The first bytes of every Safelight file.
pub const MAGIC: [u8; 8] = *b"\x89SLT\r\n\x1a\n";
/// The first bytes of a key file protected by a passphrase, which is an age file (version 1).
pub const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// The first line of such a file as text ("armored").
pub const AGE_ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// The number of bytes from the start of a file that [`is_age`] needs at most.
pub const AGE_START: usize = MAX_AGE_SPACE + AGE_ARMOR.len();
/// The most white space before or after an armored file, in bytes each.
pub const MAX_AGE_SPACE: usize = 1024;
/// The version of the format.
pub const VERSION: u16 = 1;
/// The length of the prologue in bytes.
pub const PROLOGUE_BYTES: usize = 16;
/// The longest header, in bytes.
pub const MAX_HEADER: u32 = 65_536;

const SCHEME_PAILLIER: u8 = 1;
const SCHEME_ETC: u8 = 2;
const SCHEME_LEARNING: u8 = 3;
const SCHEME_CKKS: u8 = 4;

/// A text without a byte order mark, which editors for Windows add, and white space at its start.
pub(crate) fn age_text(start: &[u8]) -> &[u8] {
    unmarked(start).trim_ascii_start()
}

/// Whether a file starts like a key file protected by a passphrase, as bytes or as text. The first 16 bytes are enough, unless
/// the text starts with white space.
#[must_use]
pub fn is_age(start: &[u8]) -> bool {
    let like = |start: &[u8], mark: &[u8]| {
        let length = start.len().min(mark.len());
        length >= PROLOGUE_BYTES && start[..length] == mark[..length]
    };
    like(start, AGE_MAGIC) || like(age_text(start), AGE_ARMOR)
}

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A public key.
    PublicKey,
    /// A secret key.
    SecretKey,
    /// An encrypted image.
    Image,
    /// A key for scrambled pictures.
    EtcKey,
    /// A model.
    Model,
    /// A CKKS ciphertext.
    Ciphertext,
    /// A CKKS plaintext: an encoded vector.
    Plaintext,
    /// A CKKS public key.
    CkksPublicKey,
    /// A CKKS key that switches a ciphertext from one secret to another.
    SwitchKey,
    /// The switch keys of one owner.
    EvaluationKeys,
    /// A CKKS secret key.
    CkksSecretKey,
    /// The public part of a network.
    Front,
    /// A network.
    Network,
}

impl Kind {
    /// The stable name, for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublicKey => "public_key",
            Self::SecretKey => "secret_key",
            Self::Image => "image",
            Self::EtcKey => "etc_key",
            Self::Model => "model",
            Self::Ciphertext => "ciphertext",
            Self::Plaintext => "plaintext",
            Self::CkksPublicKey => "ckks_public_key",
            Self::SwitchKey => "switch_key",
            Self::EvaluationKeys => "evaluation_keys",
            Self::CkksSecretKey => "ckks_secret_key",
            Self::Front => "network_front",
            Self::Network => "network",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::PublicKey => 1,
            Self::SecretKey => 2,
            Self::Image => 3,
            Self::EtcKey => 4,
            Self::Model => 5,
            Self::Ciphertext => 6,
            Self::Plaintext => 7,
            Self::CkksPublicKey => 8,
            Self::SwitchKey => 9,
            Self::EvaluationKeys => 10,
            Self::CkksSecretKey => 11,
            Self::Front => 12,
            Self::Network => 13,
        }
    }

    const fn scheme(self) -> u8 {
        match self {
            Self::PublicKey | Self::SecretKey | Self::Image => SCHEME_PAILLIER,
            Self::EtcKey => SCHEME_ETC,
            Self::Model | Self::Front | Self::Network => SCHEME_LEARNING,
            Self::Ciphertext
            | Self::Plaintext
            | Self::CkksPublicKey
            | Self::SwitchKey
            | Self::EvaluationKeys
            | Self::CkksSecretKey => SCHEME_CKKS,
        }
    }

    /// The stable name of its scheme, for programs.
    #[must_use]
    pub const fn scheme_name(self) -> &'static str {
        match self.scheme() {
            SCHEME_PAILLIER => "paillier",
            SCHEME_ETC => "etc",
            SCHEME_LEARNING => "learning",
            _ => "ckks",
        }
    }

    /// Whether such a file must be kept secret.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::SecretKey | Self::EtcKey | Self::CkksSecretKey)
    }

    const fn text(self) -> &'static str {
        match self {
            Self::PublicKey => "a public key",
            Self::SecretKey => "a secret key",
            Self::Image => "an encrypted image",
            Self::EtcKey => "a key for scrambled pictures",
            Self::Model => "a model",
            Self::Ciphertext => "an encrypted vector",
            Self::Plaintext => "an encoded vector",
            Self::CkksPublicKey => "a CKKS public key",
            Self::SwitchKey => "a switch key",
            Self::EvaluationKeys => "a set of evaluation keys",
            Self::CkksSecretKey => "a CKKS secret key",
            Self::Front => "the public part of a network",
            Self::Network => "a network",
        }
    }
}

/// The first 16 bytes of a file, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prologue {
    /// The kind of the file.
    pub kind: Kind,
    /// The length of the header in bytes.
    pub header_bytes: usize,
}

impl Prologue {
    /// Reads the first 16 bytes of a file.
    ///
    /// # Errors
    /// [`Code::NotSafelight`], [`Code::UnsupportedVersion`], [`Code::Truncated`], [`Code::BadHeader`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let known = bytes.len().min(MAGIC.len());
        if bytes[..known] != MAGIC[..known] {
            return Err(Error::new(Code::NotSafelight, "this is not a Safelight file: its signature is missing"));
        }
        let mut reader = Reader::new(bytes);
        reader.take(MAGIC.len())?;
        let version = reader.u16()?;
        if version != VERSION {
            return Err(Error::new(
                Code::UnsupportedVersion,
                format!("the file has format version {version}, but this program reads version {VERSION}; update it"),
            ));
        }
        let kind = match reader.u8()? {
            1 => Kind::PublicKey,
            2 => Kind::SecretKey,
            3 => Kind::Image,
            4 => Kind::EtcKey,
            5 => Kind::Model,
            6 => Kind::Ciphertext,
            7 => Kind::Plaintext,
            8 => Kind::CkksPublicKey,
            9 => Kind::SwitchKey,
            10 => Kind::EvaluationKeys,
            11 => Kind::CkksSecretKey,
            12 => Kind::Front,
            13 => Kind::Network,
            other => return Err(Error::new(Code::BadHeader, format!("the file has the unknown kind {other}"))),
        };
        let scheme = reader.u8()?;
        if scheme != kind.scheme() {
            return Err(Error::new(Code::BadHeader, format!("the file has the unknown scheme {scheme}")));
        }
        let length = reader.u32()?;
        if length > MAX_HEADER {
            return Err(Error::new(Code::BadHeader, format!("the header of {length} bytes is too long")));
        }
        Ok(Self { kind, header_bytes: length as usize })
    }

    /// The length of prologue, header and header checksum in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        PROLOGUE_BYTES + self.header_bytes + 4
    }
}

/// A header whose checksum is right.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// The header's own bytes.
    pub header: &'a [u8],
    /// Its checksum, which also goes into the checksum of each frame.
    pub crc: u32,
}

/// Reads prologue, header and checksum from the start of `bytes`.
///
/// # Errors
/// As [`Prologue::parse`], and [`Code::WrongKind`], [`Code::Truncated`], [`Code::Damaged`].
pub fn open(bytes: &[u8], kind: Kind) -> Result<Checked<'_>> {
    let prologue = Prologue::parse(bytes)?;
    let mut reader = Reader::new(bytes);
    let sealed = reader.take(PROLOGUE_BYTES + prologue.header_bytes)?;
    let crc = reader.u32()?;
    if checksum::hash(sealed) != crc {
        return Err(Error::new(Code::Damaged, "the file's header is damaged; send or copy the whole file again"));
    }
    if prologue.kind != kind {
        return Err(Error::new(
            Code::WrongKind,
            format!("this file is {}, but {} is needed here", prologue.kind.text(), kind.text()),
        ));
    }
    Ok(Checked { header: &sealed[PROLOGUE_BYTES..], crc })
}

/// An error inside a header whose checksum is right, so that the fault lies with its writer.
fn in_header(error: Error) -> Error {
    match error.kind() {
        Code::Truncated => Error::new(Code::BadHeader, "the file's header is shorter than its own fields say"),
        Code::TrailingData => Error::new(Code::BadHeader, "the file's header is longer than its own fields say"),
        _ => error,
    }
}

/// Puts prologue and checksum around a header.
fn seal(kind: Kind, header: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([kind.number(), kind.scheme()]);
    // Headers are at most 65,536 bytes long by construction.
    bytes.extend(u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(header);
    let crc = checksum::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// Reads numbers from the front of a byte string.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| Error::new(Code::Truncated, "the data ends too early; send or copy the whole file again"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    #[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    #[cfg(any(feature = "ckks", all(feature = "learn", not(target_arch = "wasm32"))))]
    fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    fn end(&self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Error::new(Code::TrailingData, format!("there are {} extra bytes at the end", self.0.len())))
    }
}
