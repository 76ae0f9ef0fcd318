//! Filters encrypted images.

use std::io::{BufReader, BufWriter, IntoInnerError};

use super::Outcome;
use crate::error::Result;
use crate::schemes::paillier::{Filter, stream};
use crate::server::store::spool::{Spool, Stored};
use crate::watch::Watch;

/// The buffer for small reads and writes of the spool, in bytes.
const BUFFER: usize = 64 << 10;

pub(super) fn run(
    filter: &Filter,
    limits: &stream::Limits,
    input: &Stored,
    output: Spool,
    watch: &dyn Watch,
) -> Result<Outcome> {
    let mut input = BufReader::with_capacity(BUFFER, input.reader());
    let mut output = BufWriter::with_capacity(BUFFER, output);
    stream::run_filter(&mut input, &mut output, filter, limits, watch)?;
    Ok(Outcome::file(output.into_inner().map_err(IntoInnerError::into_error)?.finish()?))
}
