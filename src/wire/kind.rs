//! The registry of the format: its schemes, and the kinds of their files.

use super::VERSION;

/// Writes [`Scheme`] from its table: number, name in code, stable name, text.
macro_rules! schemes {
    ($($(#[$meta:meta])* $number:literal $scheme:ident $name:literal $text:literal;)*) => {
        /// A scheme, or another part of Safelight with files of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Scheme {
            $($(#[$meta])* #[doc = $text] $scheme,)*
        }

        impl Scheme {
            /// The stable name, for programs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($(#[$meta])* Self::$scheme => $name),* }
            }

            /// The number in a file's prologue.
            pub(super) const fn number(self) -> u8 {
                match self { $($(#[$meta])* Self::$scheme => $number),* }
            }
        }
    };
}

schemes! {
    1 Paillier "paillier" "Linear filters on encrypted photos.";
    2 Etc "etc" "Scrambled pictures, which are obfuscated, not encrypted.";
    3 Learning "learning" "Classifiers, which have no keys.";
    4 Ckks "ckks" "Arithmetic on encrypted vectors.";
    #[cfg(test)]
    250 Toy "toy" "A scheme of the tests.";
}

/// Writes [`Kind`] from its table: number, name in code, stable name, scheme, whether it must be kept secret, text for people.
macro_rules! kinds {
    ($($(#[$meta:meta])* $number:literal $kind:ident $name:literal $scheme:ident $secrecy:ident $text:literal;)*) => {
        /// The kind of a file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$meta])* #[doc = concat!("The kind `", $name, "`: ", $text, ".")] $kind,)*
        }

        impl Kind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &[Self] = &[$($(#[$meta])* Self::$kind),*];

            /// The stable name, for programs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($(#[$meta])* Self::$kind => $name),* }
            }

            /// What the file is, for people, with its article.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $($(#[$meta])* Self::$kind => $text),* }
            }

            /// The scheme that it belongs to.
            #[must_use]
            pub const fn scheme(self) -> Scheme {
                match self { $($(#[$meta])* Self::$kind => Scheme::$scheme),* }
            }

            /// Whether such a file must be kept secret.
            #[must_use]
            pub const fn is_secret(self) -> bool {
                match self { $($(#[$meta])* Self::$kind => kinds!($secrecy)),* }
            }

            /// The number in a file's prologue.
            pub(super) const fn number(self) -> u8 {
                match self { $($(#[$meta])* Self::$kind => $number),* }
            }
        }
    };
    (secret) => { true };
    (public) => { false };
}

kinds! {
    1 PaillierPublicKey "public_key" Paillier public "a public key";
    2 PaillierSecretKey "secret_key" Paillier secret "a secret key";
    3 PaillierImage "image" Paillier public "an encrypted image";
    4 EtcKey "etc_key" Etc secret "a key for scrambled pictures";
    5 Model "model" Learning public "a model";
    6 CkksCiphertext "ciphertext" Ckks public "an encrypted vector";
    7 CkksPlaintext "plaintext" Ckks public "an encoded vector";
    8 CkksPublicKey "ckks_public_key" Ckks public "a CKKS public key";
    9 CkksSwitchKey "switch_key" Ckks public "a switch key";
    10 CkksEvaluationKeys "evaluation_keys" Ckks public "a set of evaluation keys";
    11 CkksSecretKey "ckks_secret_key" Ckks secret "a CKKS secret key";
    12 NetworkFront "network_front" Learning public "the public part of a network";
    13 Network "network" Learning public "a network";
    #[cfg(test)]
    250 ToyKey "toy_key" Toy secret "a key of the tests";
}

impl Kind {
    /// The latest version of the format that such files can have. All earlier ones are read.
    #[must_use]
    pub const fn version(self) -> u16 {
        match self {
            Self::NetworkFront => 3,
            _ => VERSION,
        }
    }

    /// The kind with this stable name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The kind with this number.
    pub(super) fn numbered(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }
}
