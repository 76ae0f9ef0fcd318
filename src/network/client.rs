//! What the owner of a picture does: keys, the picture's numbers encrypted, and the answer opened.
//!
//! What is opened here is for the owner's eyes alone: the scores differ from exact ones by a little that tells of the secret key
//! (B. Li, D. Micciancio, EUROCRYPT 2021), and an answer that was made up can tell all of it. So nothing of it goes back to the
//! server, and an answer that no honest server sends is refused as a whole.

use rand_core::TryCryptoRng;

use super::{Answer, Front, LARGEST_SCORE, Need, PRECISION};
use crate::ckks::ciphertext::{Ciphertext, Seeded};
use crate::ckks::encode::Encoder;
use crate::ckks::keys::EvaluationKeys;
use crate::ckks::ring::Ring;
use crate::ckks::secret::SecretKey;
use crate::error::{Code, Error, Result};

/// How far from zero the coefficients may be that no score is made of. Those of honest answers are noise, 2^-16 at the most in
/// what was measured.
const BESIDE: f64 = 1.0 / 1024.0;

impl Front {
    /// The keys that a server needs for this network. Public.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of another set; [`Code::NoRandomness`] if the generator fails.
    pub fn evaluation_keys(
        &self,
        ring: &Ring,
        secret: &SecretKey,
        rng: &mut impl TryCryptoRng,
    ) -> Result<EvaluationKeys> {
        self.check_ring(ring)?;
        let mut keys = EvaluationKeys::new(secret.id());
        for need in self.needs()? {
            match need {
                Need::Products { level } => keys.insert_relinearise(secret.relinearisation_key(ring, level, rng)?),
                Need::Rotation { steps, level } => {
                    let (element, key) = secret.rotation_key(ring, steps, level, rng)?;
                    keys.insert_galois(element, key);
                }
            }
        }
        Ok(keys)
    }

    /// Encrypts a picture's numbers, which [`Patches::of`](super::Patches::of) gives.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of another set; [`Code::BadArgument`] for another number of them;
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn encrypt(
        &self,
        ring: &Ring,
        encoder: &Encoder,
        secret: &SecretKey,
        features: &[f32],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Seeded> {
        self.check_ring(ring)?;
        let wanted = self.patches().features();
        if features.len() != wanted {
            let message = format!("a picture has {wanted} numbers for this network, not {}", features.len());
            return Err(Error::new(Code::BadArgument, message));
        }
        let numbers: Vec<f64> = features.iter().map(|&number| number.into()).collect();
        let (shape, level) = (self.first()?, self.level());
        let plaintext = encoder.encode_real(ring, &shape.pack(&numbers), shape.slots(), level, ring.scale(level))?;
        secret.encrypt_seeded(ring, &plaintext, rng)
    }

    /// Opens the answer, if it is one that an honest server can have computed. Anything that is published of it, the label
    /// included, tells a dishonest server something of the secret key.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of another set; [`Code::VectorsDiffer`] for another level, scale or number of slots
    /// than an answer of this network has, which is found before the key is used; [`Code::ForeignKey`] if it is under another
    /// key; [`Code::BadAnswer`] if the numbers are outside the bounds of honest answers: beyond [`LARGEST_SCORE`], or not zero
    /// where no score is. The error is the same for all of these, and has no number in it.
    pub fn open(&self, ring: &Ring, encoder: &Encoder, secret: &SecretKey, answer: &Ciphertext) -> Result<Answer> {
        self.check_ring(ring)?;
        self.check_answer(ring, answer.level(), answer.slots(), answer.scale())?;
        let opened = secret.decrypt(ring, answer)?;
        let numbers = opened.decode(ring, encoder);
        let (scores, filling) = numbers.split_at(self.labels().len().min(numbers.len()));
        // Written so that what is no number is not allowed.
        let honest = opened.beside(ring) <= BESIDE
            && scores.iter().all(|score| score.re.abs() <= LARGEST_SCORE + PRECISION)
            && filling.iter().all(|number| number.re.abs() <= PRECISION)
            && numbers.iter().all(|number| number.im.abs() <= PRECISION);
        if !honest {
            let message = "the answer is outside the bounds of this network's answers: the server did something else, or the \
                           picture is unlike all that the network has learned from; do not publish anything about it";
            return Err(Error::new(Code::BadAnswer, message));
        }
        Ok(Answer::new(scores.iter().map(|score| score.re).collect()))
    }
}
