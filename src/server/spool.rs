//! Bytes on their way through the server: written once by a worker, then read by whoever fetches them.
//!
//! Short ones stay in memory, longer ones lie in a temporary file that has no name, so that nobody else can open it and
//! nothing is left behind when the process ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes};
use futures_util::stream;
use tempfile::{SpooledData, SpooledTempFile};
use tokio::time::Instant;

use super::config::Limits;
use crate::error::{Code, Error, Result};

/// What stays in memory. Many results can wait for slow readers at once, so this is small.
pub(super) const IN_MEMORY: usize = 1 << 20;

/// How much of a file is read at a time for an answer.
const CHUNK: u64 = 256 << 10;

/// A limit on the bytes that all jobs together may hold.
pub(super) struct Quota {
    used: AtomicU64,
    most: u64,
}

impl Quota {
    pub(super) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), most })
    }
}

/// One holder's part of a [`Quota`], given back when dropped.
struct Share {
    quota: Arc<Quota>,
    bytes: u64,
}

impl Share {
    fn grow(&mut self, more: u64) -> Result<()> {
        let most = self.quota.most;
        let room = |used: u64| used.checked_add(more).filter(|sum| *sum <= most);
        self.quota.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).map_err(|_| {
            Error::new(Code::TooBusy, "the server stores as many results as it can; try again in some minutes")
        })?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Where a worker writes.
pub(super) struct Spool {
    file: SpooledTempFile,
    length: u64,
    share: Option<Share>,
}

impl Spool {
    /// A spool that keeps up to `in_memory` bytes in memory and counts against the quota, if there is one.
    pub(super) fn new(folder: &Path, in_memory: usize, quota: Option<&Arc<Quota>>) -> Self {
        let share = quota.map(|quota| Share { quota: Arc::clone(quota), bytes: 0 });
        Self { file: SpooledTempFile::new_in(in_memory, folder), length: 0, share }
    }

    /// Ends the writing.
    pub(super) fn finish(mut self) -> Result<Stored> {
        self.file.flush()?;
        let data = match self.file.into_inner() {
            SpooledData::InMemory(cursor) => Data::Memory(cursor.into_inner().into()),
            SpooledData::OnDisk(file) => Data::Disk(Arc::new(file)),
        };
        Ok(Stored { data, length: self.length, _share: self.share })
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(share) = &mut self.share {
            share.grow(bytes.len() as u64)?;
        }
        // All or nothing, so that length and share stay true.
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What a worker wrote. Many may read it at the same time.
pub(super) struct Stored {
    data: Data,
    length: u64,
    _share: Option<Share>,
}

enum Data {
    Memory(Bytes),
    Disk(Arc<File>),
}

impl Stored {
    /// Length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// A reader from the beginning.
    pub(super) fn reader(&self) -> impl Read + Send + use<> {
        match &self.data {
            Data::Memory(bytes) => StoredReader { data: Data::Memory(bytes.clone()), at: 0 },
            Data::Disk(file) => StoredReader { data: Data::Disk(Arc::clone(file)), at: 0 },
        }
    }

    /// The bytes as the body of an answer. `holder` is kept until the last byte is on its way or the client is gone;
    /// `at_end` is called in the first case.
    pub(super) fn body<H: Send + 'static>(self: Arc<Self>, holder: H, at_end: fn(&H)) -> Body {
        let start = (self, holder, 0_u64);
        let deadline = Instant::now() + Limits::LONGEST_TRANSFER;
        Body::from_stream(stream::try_unfold(start, move |(stored, holder, at)| async move {
            if at >= stored.length {
                return Ok::<_, io::Error>(None);
            }
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let chunk = stored.chunk(at).await?;
            let next = at + chunk.len() as u64;
            if next >= stored.length {
                at_end(&holder);
            }
            Ok(Some((chunk, (stored, holder, next))))
        }))
    }

    async fn chunk(&self, at: u64) -> io::Result<Bytes> {
        match &self.data {
            Data::Memory(bytes) => Ok(bytes.slice(usize::try_from(at).map_err(io::Error::other)?..)),
            Data::Disk(file) => {
                let file = Arc::clone(file);
                let wanted = CHUNK.min(self.length - at);
                tokio::task::spawn_blocking(move || {
                    let mut buffer = vec![0; usize::try_from(wanted).map_err(io::Error::other)?];
                    let got = read_at(&file, &mut buffer, at)?;
                    if got == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    buffer.truncate(got);
                    Ok(buffer.into())
                })
                .await
                .map_err(io::Error::other)?
            }
        }
    }
}

struct StoredReader {
    data: Data,
    at: u64,
}

impl Read for StoredReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = match &mut self.data {
            Data::Memory(bytes) => {
                let got = bytes.len().min(buffer.len());
                buffer[..got].copy_from_slice(&bytes.split_to(got));
                got
            }
            Data::Disk(file) => read_at(file, buffer, self.at)?,
        };
        self.at += got as u64;
        Ok(got)
    }
}

/// Reads from a place in the file without a cursor that others could move.
#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(length: usize, in_memory: usize, quota: Option<&Arc<Quota>>) -> Result<Stored> {
        let mut spool = Spool::new(&std::env::temp_dir(), in_memory, quota);
        let bytes: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect();
        for part in bytes.chunks(1000) {
            spool.write_all(part)?;
        }
        spool.finish()
    }

    #[tokio::test]
    async fn memory_and_disk_give_back_what_was_written() {
        for (length, in_memory) in [(0, 100), (5000, 10_000), (5000, 4999), (600_000, 0)] {
            let stored = Arc::new(stored(length, in_memory, None).expect("written"));
            assert_eq!(stored.length(), length as u64);
            let mut read = Vec::new();
            stored.reader().read_to_end(&mut read).expect("read");
            assert_eq!(read.len(), length);
            assert!(read.iter().enumerate().all(|(i, byte)| usize::from(*byte) == i % 251));
            let body = axum::body::to_bytes(stored.body((), |()| ()), usize::MAX).await.expect("sent");
            assert_eq!(body, read);
        }
    }

    #[test]
    fn the_quota_refuses_and_recovers() {
        let quota = Quota::new(10_000);
        let first = stored(9000, 0, Some(&quota)).expect("room");
        assert_eq!(stored(2000, 0, Some(&quota)).err().map(|e| e.kind()), Some(Code::TooBusy));
        drop(first);
        assert!(stored(10_000, 0, Some(&quota)).is_ok());
        assert_eq!(quota.used.load(Ordering::Relaxed), 0);
    }
}
