//! stub
use super::secret::masks::Exponents;
use super::{ImageHead, SecretKey};
use crate::error::Result;

pub(crate) struct Replay(Vec<Vec<Exponents>>);
impl Replay {
    pub(crate) fn new(key: &SecretKey, head: &ImageHead) -> Result<Self> {
        let seed = key.mask_seed(&head.origins[0])?;
        let c = u64::from(head.layout.columns());
        Ok(Self((0..u64::from(head.layout.rows())).map(|r| (0..c).map(|x| seed.exponents(r*c+x)).collect::<Result<_>>()).collect::<Result<_>>()?))
    }
    pub(crate) fn row(&mut self, row: u32) -> Result<Vec<Exponents>> { Ok(self.0[row as usize].clone()) }
}
