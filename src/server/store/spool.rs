//! Data on its way through the server: written once by a worker, then read by clients.
//!
//! Short data stays in memory; longer data is kept in an unnamed temporary file, so that no one else can open it and nothing is
//! left behind when the process ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::{SpooledData, SpooledTempFile};
use tokio_util::bytes::Bytes;

use super::capability;
use crate::error::{Error, Result};
use crate::read_at::read_at;
use crate::server::client::Client;
use crate::server::config::Limits;
use crate::server::shares::{Full, Share, Shares};

/// How much of an answer stays in memory. Many results can wait for slow readers at once, so this is small.
pub(in crate::server) const IN_MEMORY: usize = 1 << 20;

/// How much of waiting data stays in memory.
pub(in crate::server) const SMALL: usize = 64 << 10;

/// How much of a file is read at a time.
const CHUNK: u64 = 256 << 10;

/// The folder of spools, and their limits.
pub(in crate::server) struct Spools {
    folder: PathBuf,
    bytes: Arc<Shares>,
    /// The longest time that anything is kept.
    keep: Duration,
}

impl Spools {
    pub(in crate::server) fn new(folder: PathBuf, limits: &Limits) -> Self {
        let bytes = Shares::new(limits.stored_bytes, limits.client.stored_bytes);
        Self { folder, bytes, keep: limits.keep_results }
    }

    /// A spool for a client, of which up to `in_memory` bytes stay in memory. All bytes count against the client's share.
    pub(in crate::server) fn spool(&self, client: Client, in_memory: usize) -> Result<Spool> {
        let share = self.bytes.take(client, 0).map_err(|full| no_room(full, self.keep))?;
        Ok(Spool { file: SpooledTempFile::new_in(in_memory, &self.folder), length: 0, share, keep: self.keep })
    }
}

fn no_room(full: Full, keep: Duration) -> Error {
    full.error(
        "the server stores as many uploads and results as it can; try again in a few minutes",
        "this network address has reached its limit of uploads and results; delete some, or wait until they expire",
        keep,
    )
}

/// A writer for the data of an upload or a worker.
pub(in crate::server) struct Spool {
    file: SpooledTempFile,
    length: u64,
    share: Share,
    keep: Duration,
}

impl Spool {
    /// Finishes writing.
    pub(in crate::server) fn finish(mut self) -> Result<Stored> {
        self.file.flush()?;
        let data = match self.file.into_inner() {
            SpooledData::InMemory(cursor) => Data::Memory(cursor.into_inner().into()),
            SpooledData::OnDisk(file) => Data::Disk(Arc::new(file)),
        };
        Ok(Stored { data, length: self.length, tag: format!("\"{}\"", capability::random()?), _share: self.share })
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.share.grow(bytes.len() as u64).map_err(|full| no_room(full, self.keep))?;
        // All or nothing, so that the length and the share stay correct.
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Data that was written. Many readers can use it at the same time.
pub(in crate::server) struct Stored {
    data: Data,
    length: u64,
    tag: String,
    _share: Share,
}

enum Data {
    Memory(Bytes),
    Disk(Arc<File>),
}

impl Stored {
    /// Length in bytes.
    pub(in crate::server) fn length(&self) -> u64 {
        self.length
    }

    /// Its unique tag, in the form of the header field `ETag`.
    pub(in crate::server) fn tag(&self) -> &str {
        &self.tag
    }

    /// All bytes, read into memory. Must not be called on an asynchronous thread.
    pub(in crate::server) fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.length).unwrap_or_default());
        self.reader().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A reader from the beginning. Must not be read on an asynchronous thread.
    pub(in crate::server) fn reader(&self) -> impl Read + Send + use<> {
        match &self.data {
            Data::Memory(bytes) => StoredReader { data: Data::Memory(bytes.clone()), at: 0 },
            Data::Disk(file) => StoredReader { data: Data::Disk(Arc::clone(file)), at: 0 },
        }
    }

    /// The bytes from `at` to `end`, or the first of them.
    pub(in crate::server) async fn chunk(&self, at: u64, end: u64) -> io::Result<Bytes> {
        match &self.data {
            Data::Memory(bytes) => {
                let place = |at: u64| usize::try_from(at).map_err(io::Error::other);
                Ok(bytes.slice(place(at)?..place(end)?))
            }
            Data::Disk(file) => {
                let file = Arc::clone(file);
                let wanted = CHUNK.min(end - at);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn store(most: u64) -> Spools {
        Spools::new(std::env::temp_dir(), &Limits { stored_bytes: most, ..Limits::default() })
    }

    fn client() -> Client {
        Client::new([127, 0, 0, 1].into())
    }

    fn stored(length: usize, in_memory: usize, store: &Spools) -> Result<Stored> {
        let mut spool = store.spool(client(), in_memory)?;
        let bytes: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect();
        for part in bytes.chunks(1000) {
            spool.write_all(part)?;
        }
        spool.finish()
    }

    #[tokio::test]
    async fn memory_and_disk_give_back_what_was_written() {
        let store = store(1 << 30);
        for (length, in_memory) in [(0, 100), (5000, 10_000), (5000, 4999), (600_000, 0)] {
            let stored = stored(length, in_memory, &store).expect("written");
            assert_eq!(stored.length(), length as u64);
            let read = stored.bytes().expect("read");
            assert_eq!(read.len(), length);
            assert!(read.iter().enumerate().all(|(i, byte)| usize::from(*byte) == i % 251));
            for range in [0..length, length / 3..length, length / 3..length / 2] {
                let (mut part, end) = (Vec::new(), range.end as u64);
                while range.start + part.len() < range.end {
                    let at = (range.start + part.len()) as u64;
                    part.extend(stored.chunk(at, end).await.expect("read"));
                }
                assert_eq!(part, read[range]);
            }
        }
    }

    #[test]
    fn the_store_refuses_and_recovers() {
        let store = store(10_000);
        let first = stored(9000, 0, &store).expect("room");
        assert_eq!(stored(2000, 0, &store).err().map(|e| e.kind()), Some(Code::TooBusy));
        drop(first);
        assert!(stored(10_000, 0, &store).is_ok());
        assert_eq!(store.bytes.taken(), 0);
    }
}
