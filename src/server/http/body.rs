//! Bodies with a companion, which sees the bytes pass and is dropped with the body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// Something that lasts as long as a body.
pub(super) trait Companion: Send + Unpin + 'static {
    /// Called when bytes of the body have passed.
    fn passed(&mut self, bytes: u64) {
        let _ = bytes;
    }
}

/// The same body with a companion.
pub(super) fn with(body: Body, companion: impl Companion) -> Body {
    Body::new(Accompanied { body, companion })
}

struct Accompanied<C> {
    body: Body,
    companion: C,
}

impl<C: Companion> HttpBody for Accompanied<C> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.companion.passed(data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
