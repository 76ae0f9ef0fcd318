//! Forms of pictures (`multipart/form-data`), each in a part named after its label.

use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::Stream;
use multer::{Constraints, Multipart, SizeLimit};
use tokio::runtime::Handle;
use tokio_util::bytes::Bytes;

use crate::error::{Code, Error, Result};
use crate::server::config::Limits;

/// The longest header of a part of a form, in bytes.
pub(in crate::server) const LONGEST_PART_HEADER: usize = 16 << 10;

/// The boundary of a form, from its media type.
pub(in crate::server) fn boundary(media_type: &str) -> Result<String> {
    multer::parse_boundary(media_type).map_err(no_multipart)
}

/// The error for a part whose header is too long.
pub(in crate::server) fn long_part_header() -> Error {
    let message = format!("a part of the form has a header longer than {LONGEST_PART_HEADER} bytes; shorten it");
    Error::new(Code::TooLarge, message)
}

/// The pictures of a form, one after the other.
pub(super) struct Pictures {
    parts: Multipart<'static>,
    allowance: Arc<AtomicU64>,
}

impl Pictures {
    pub(super) fn new(reader: impl Read + Send + Unpin + 'static, boundary: &str) -> Self {
        let sizes = Constraints::new().size_limit(SizeLimit::new().per_field(Limits::LONGEST_PICTURE));
        let allowance = Arc::new(AtomicU64::new(0));
        let pieces = Pieces { reader, allowance: Arc::clone(&allowance), pause: false };
        Self { parts: Multipart::with_constraints(pieces, boundary, sizes), allowance }
    }

    /// The label and the file of the next picture. Must run on a worker thread.
    pub(super) fn next(&mut self) -> Result<Option<(String, Bytes)>> {
        Handle::current().block_on(next_picture(&mut self.parts, &self.allowance))
    }
}

/// A stored form, read piece by piece. The form parser buffers everything that is ready, so it must ask again for each piece;
/// and it buffers the header of a part without a limit, so it gets no more than currently allowed.
struct Pieces<R> {
    reader: R,
    allowance: Arc<AtomicU64>,
    pause: bool,
}

/// The length of a piece.
const PIECE: usize = 16 << 10;

impl<R: Read + Unpin> Stream for Pieces<R> {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pause = !self.pause;
        if !self.pause {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut piece = vec![0; PIECE];
        let got = match self.reader.read(&mut piece) {
            Ok(0) => return Poll::Ready(None),
            Ok(got) => got,
            Err(error) => return Poll::Ready(Some(Err(error.into()))),
        };
        piece.truncate(got);
        let left = self.allowance.load(Ordering::Relaxed).checked_sub(got as u64);
        Poll::Ready(Some(match left {
            Some(left) => {
                self.allowance.store(left, Ordering::Relaxed);
                Ok(piece.into())
            }
            None => Err(long_part_header()),
        }))
    }
}

/// The label and the file of the next part.
async fn next_picture(parts: &mut Multipart<'_>, allowance: &AtomicU64) -> Result<Option<(String, Bytes)>> {
    allowance.store((LONGEST_PART_HEADER + PIECE) as u64, Ordering::Relaxed);
    let Some(field) = parts.next_field().await.map_err(no_multipart)? else { return Ok(None) };
    let label =
        field.name().ok_or_else(|| Error::new(Code::BadArgument, "a picture has no label as its part's name"))?;
    // The file itself has a limit of its own.
    allowance.store(u64::MAX, Ordering::Relaxed);
    // Browsers write a quotation mark in a part's name like this.
    let label = label.replace("%22", "\"");
    Ok(Some((label, field.bytes().await.map_err(no_multipart)?)))
}

fn no_multipart(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::new(Code::Internal, other.to_string()),
        },
        multer::Error::FieldSizeExceeded { limit, .. } => {
            Error::new(Code::TooLarge, format!("a picture's file is larger than {limit} bytes; make it smaller"))
        }
        multer::Error::IncompleteStream
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteFieldData { .. } => {
            Error::new(Code::Truncated, "the upload ends inside its last part; send it again")
        }
        _ => {
            let message = "send pictures as multipart/form-data, each in a part named after its label";
            Error::new(Code::BadArgument, message)
        }
    }
}
