//! The server's limits, for all clients together and for each.

use std::time::Duration;

use super::{LONGEST, bad};
use crate::error::Result;
use crate::photo;
use crate::schemes::paillier::stream;

/// The server's limits. Anything that exceeds a limit is refused with a stable code, never truncated.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest encrypted image in bytes (`--max-body`; a filter of two images takes twice as much), in pixels
    /// (`--max-pixels`) and in ciphertexts. Code `too_large`.
    pub image: stream::Limits,
    /// Longest time to work on one request (`--time-limit`), starting with its turn. The upload before it has a limit
    /// of its own, [`Limits::LONGEST_TRANSFER`]. Default 15 minutes. Code `time_limit`.
    pub time: Duration,
    /// The time over which an upload's speed is measured (`--stall`): an upload slower than [`Limits::slowest`] is aborted.
    /// Also the longest time in which a client may receive nothing of an answer. Default 30 seconds. Code `stalled`.
    pub stall: Duration,
    /// Uploads received at the same time (`--uploads`). They take no turn. Default 128. Code `too_busy`.
    pub uploads: usize,
    /// Requests running at the same time (`--running`). Each uses all cores, so a second one only fills the gaps. Default 2.
    pub running: usize,
    /// Requests waiting for their turn, with their bodies on disk (`--waiting`). Default 64. Code `too_busy`.
    pub waiting: usize,
    /// Jobs kept at the same time, finished ones included (`--jobs`). When there is no room, the oldest job whose result has
    /// been fetched is deleted. Default 256. Code `too_busy`.
    pub jobs: usize,
    /// Bytes of uploads and results on disk at the same time (`--stored-bytes`). Default 16 GiB. Code `too_busy`.
    pub stored_bytes: u64,
    /// How long a finished job's result can be fetched (`--keep-results`). Default 10 minutes.
    pub keep_results: Duration,
    /// Clients' models kept at the same time (`--models-kept`). Default 64. Code `too_busy`.
    pub models: usize,
    /// Bytes of memory for all clients' models (`--model-bytes`). The memory of a model is known before it is loaded. Default 1
    /// GiB. Code `too_busy`.
    pub model_bytes: u64,
    /// How long a client's model is kept (`--keep-models`). Default one day.
    pub keep_models: Duration,
    /// Sets of evaluation keys kept at the same time, uploads included (`--keys-kept`). Default 64. Code `too_busy`.
    pub keys: usize,
    /// Bytes of disk for all evaluation keys (`--key-bytes`). Bytes count when they arrive, not when they are announced.
    /// Default 64 GiB. Code `too_busy`, or `too_large` for one set that can never fit.
    pub key_bytes: u64,
    /// How long a set of evaluation keys is kept (`--keep-keys`). Default one day.
    pub keep_keys: Duration,
    /// How long an interrupted upload of keys is kept (`--keep-uploads`). It is kept this long if [`Limits::MUCH`] or
    /// more bytes have arrived, and for a shorter time if fewer have, down to [`Limits::keep_empty`]. Default one hour.
    pub keep_uploads: Duration,
    /// How long an upload of keys is kept before its first byte (`--keep-empty`). Default one minute.
    pub keep_empty: Duration,
    /// Connections open at the same time (`--connections`). When there is no room, the oldest one without a request is closed.
    /// Default 512.
    pub connections: usize,
    /// The limits for each client.
    pub client: ClientLimits,
}

/// The limits for one client, which is an IPv4 address or an IPv6 /64 network. Code `quota_exceeded`.
#[derive(Clone, Copy, Debug)]
pub struct ClientLimits {
    /// Uploads received at the same time (`--client-uploads`). Default 32.
    pub uploads: usize,
    /// Requests running or waiting for their turn (`--client-waiting`). Default 24.
    pub waiting: usize,
    /// Jobs kept (`--client-jobs`). Default 64.
    pub jobs: usize,
    /// Bytes of uploads and results on disk (`--client-stored-bytes`). Default 8 GiB.
    pub stored_bytes: u64,
    /// Models kept (`--client-models`). Default 16.
    pub models: usize,
    /// Bytes of memory for models (`--client-model-bytes`). Default 512 MiB.
    pub model_bytes: u64,
    /// Sets of evaluation keys kept, uploads included (`--client-keys`). Default 8.
    pub keys: usize,
    /// Bytes of disk for evaluation keys (`--client-key-bytes`). Default 32 GiB.
    pub key_bytes: u64,
    /// Open connections (`--client-connections`). Those of trusted proxies are not counted. Default 128.
    pub connections: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            uploads: 32,
            waiting: 24,
            jobs: 64,
            stored_bytes: 8 << 30,
            models: 16,
            model_bytes: 512 << 20,
            keys: 8,
            key_bytes: 32 << 30,
            connections: 128,
        }
    }
}

impl Limits {
    /// An upload slower than this many bytes per second counts as stalled, however short it is.
    pub const SLOWEST_UPLOAD: u64 = 1 << 10;

    /// An upload of this many bytes per second never counts as stalled, however long it is.
    pub const FAST_ENOUGH: u64 = 64 << 10;

    /// Longest time for an upload and for receiving an answer, however steady the transfer.
    pub const LONGEST_TRANSFER: Duration = Duration::from_hours(1);

    /// With this many bytes received, an interrupted upload of keys is kept for all of [`Limits::keep_uploads`].
    pub const MUCH: u64 = 64 << 20;

    /// The longest picture file, and the longest encrypted picture, in bytes.
    pub(in crate::server) const LONGEST_PICTURE: u64 = 64 << 20;

    /// The largest [`Limits::running`], because work holds a thread.
    const MOST_RUNNING: usize = 256;

    /// The largest [`Limits::waiting`] and the largest [`Limits::uploads`].
    const MOST_REQUESTS: usize = 1 << 16;

    /// The fewest bytes per second of an upload of `length` bytes: enough to finish within the longest time, clamped to
    /// [`Limits::SLOWEST_UPLOAD`] and [`Limits::FAST_ENOUGH`].
    #[must_use]
    pub fn slowest(length: u64) -> u64 {
        (length / Self::LONGEST_TRANSFER.as_secs()).clamp(Self::SLOWEST_UPLOAD, Self::FAST_ENOUGH)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.running == 0 || self.running > Self::MOST_RUNNING {
            return Err(bad(format!("the number of running requests must be between 1 and {}", Self::MOST_RUNNING)));
        }
        if self.uploads == 0 || self.uploads.max(self.waiting) > Self::MOST_REQUESTS {
            return Err(bad(format!(
                "there must be at least one upload, and at most {} uploads and {0} waiting requests",
                Self::MOST_REQUESTS
            )));
        }
        if self.connections == 0 || self.connections > 1 << 20 {
            return Err(bad("the number of connections must be between 1 and 1048576"));
        }
        let client = self.client;
        if [client.uploads, client.waiting, client.connections].contains(&0) {
            return Err(bad("one client must have at least one upload, one request and one connection"));
        }
        if self.time.is_zero() || self.stall.is_zero() {
            return Err(bad("the time limit and the stall time must be longer than zero"));
        }
        let times = [
            self.time,
            self.stall,
            self.keep_results,
            self.keep_models,
            self.keep_keys,
            self.keep_uploads,
            self.keep_empty,
        ];
        if times.iter().any(|time| *time > LONGEST) {
            return Err(bad("times longer than a year are not supported"));
        }
        Ok(())
    }

    /// The limits of pictures, scrambled or not.
    pub(in crate::server) fn pictures(&self) -> photo::Limits {
        let limits = photo::Limits::default();
        photo::Limits { max_pixels: self.image.max_pixels.min(limits.max_pixels), ..limits }.of_scrambled()
    }

    /// How long an upload of keys may pause when `received` bytes have arrived.
    pub(in crate::server) fn rest(&self, received: u64) -> Duration {
        let least = self.keep_empty.min(self.keep_uploads);
        let parts = u32::try_from(received.min(Self::MUCH) >> 10).unwrap_or(u32::MAX);
        let whole = u32::try_from(Self::MUCH >> 10).unwrap_or(u32::MAX);
        least + self.keep_uploads.saturating_sub(least) / whole * parts
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image: stream::Limits::default(),
            time: Duration::from_mins(15),
            stall: Duration::from_secs(30),
            uploads: 128,
            running: 2,
            waiting: 64,
            jobs: 256,
            stored_bytes: 16 << 30,
            keep_results: Duration::from_mins(10),
            models: 64,
            model_bytes: 1 << 30,
            keep_models: Duration::from_hours(24),
            keys: 64,
            key_bytes: 64 << 30,
            keep_keys: Duration::from_hours(24),
            keep_uploads: Duration::from_hours(1),
            keep_empty: Duration::from_mins(1),
            connections: 512,
            client: ClientLimits::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_speed_and_the_rest_grow_with_the_length() {
        assert_eq!(Limits::slowest(0), 1 << 10);
        assert_eq!(Limits::slowest(36_000_000), 10_000);
        assert_eq!(Limits::slowest(u64::MAX), 64 << 10);
        let limits = Limits::default();
        assert_eq!(limits.rest(0), Duration::from_mins(1));
        assert!((1790..1830).contains(&limits.rest(Limits::MUCH / 2).as_secs()));
        assert!((3599..=3600).contains(&limits.rest(u64::MAX).as_secs()));
        let short = Limits { keep_uploads: Duration::from_secs(1), ..limits };
        assert_eq!(short.rest(0), Duration::from_secs(1));
    }
}
