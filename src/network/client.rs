//! What the owner of a picture does: keys, the picture's numbers encrypted, and the answer opened.
//!
//! What is opened here is for the owner's eyes alone: the scores differ from exact ones by a little that tells of the secret key
//! (B. Li, D. Micciancio, EUROCRYPT 2021). So nothing of it goes back to the server, and what is shown is a label and rounded
//! numbers.

use rand_core::TryCryptoRng;

use super::{Answer, Front, Need};
use crate::ckks::ciphertext::{Ciphertext, Seeded};
use crate::ckks::encode::Encoder;
use crate::ckks::keys::EvaluationKeys;
use crate::ckks::ring::Ring;
use crate::ckks::secret::SecretKey;
use crate::error::{Code, Error, Result};

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

    /// Opens the answer.
    ///
    /// # Errors
    /// [`Code::ForeignKey`] if it is under another key; [`Code::VectorsDiffer`] if it is no answer of this network;
    /// [`Code::WrongParameters`] for a ring of another set.
    pub fn open(&self, ring: &Ring, encoder: &Encoder, secret: &SecretKey, answer: &Ciphertext) -> Result<Answer> {
        self.check_ring(ring)?;
        let slots = self.last()?.out_slots();
        if (answer.level(), answer.slots()) != (0, slots) {
            let message = format!("an answer of this network has {slots} scores at level 0; this is something else");
            return Err(Error::new(Code::VectorsDiffer, message));
        }
        let numbers = secret.decrypt(ring, answer)?.decode(ring, encoder);
        Ok(Answer::new(numbers.iter().take(self.labels().len()).map(|number| number.re).collect()))
    }
}
