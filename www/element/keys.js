// Uploads evaluation keys, which take gigabytes: in pieces, and resuming after a broken connection, by
// draft-ietf-httpbis-resumable-upload.

import { checkSignal, SafelightError } from '../shared/errors.js';
import { request } from './request.js';

const TRIES = 8; // in which no byte arrives
const PAUSE = { first: 500, last: 15_000 }; // ms before the next try
// Errors that may pass. (A server answers "cancelled" when another request has taken over the upload.)
const AGAIN = ['unreachable', 'wrong_offset', 'stalled', 'too_busy', 'quota_exceeded', 'cancelled'];

/**
 * Sends `keys`, an async iterable of Blobs with the total size `bytes`, to the server at `base`. Returns the id under which
 * they can be used, which no one else knows.
 */
export async function uploadKeys(base, keys, { signal, onProgress } = {}) {
  const url = new URL('v1/keys', base);
  const total = keys.bytes;
  const report = (done) => onProgress?.({ phase: 'upload', done, total });
  report(0);
  const begun = await request('POST', url, { headers: { 'Upload-Length': String(total) }, signal });
  const place = address(begun.header('Location'), url);
  try {
    let start = 0;
    for await (const piece of keys) {
      await append(place, piece, start, { signal, report });
      start += piece.size;
    }
    if (start !== total) throw new SafelightError('internal', 'the keys do not have the announced size');
  } catch (error) {
    fetch(place, { method: 'DELETE', keepalive: true }).catch(() => {});
    throw error;
  }
  return decodeURIComponent(place.pathname.split('/').at(-1));
}

/** Deletes keys from the server. */
export async function deleteKeys(base, id, { signal } = {}) {
  await request('DELETE', new URL(`v1/keys/${encodeURIComponent(id)}`, base), { signal });
}

/** Sends the piece that starts at byte `start` of the file. */
async function append(place, piece, start, { signal, report }) {
  const end = start + piece.size;
  let [offset, tries] = [start, 0];
  while (offset < end) {
    try {
      const from = tries > 0 ? await arrived(place, signal) : offset;
      if (from < start || from > end) throw new SafelightError('bad_answer', 'the server has lost part of the keys');
      if (from > offset) tries = 0;
      offset = from;
      if (offset === end) break;
      const headers = { 'Upload-Offset': String(offset), 'Content-Type': 'application/partial-upload' };
      const onUpload = (done) => report(Math.min(end, offset + done));
      await request('PATCH', place, { body: piece.slice(offset - start), headers, signal, onUpload });
      offset = end;
    } catch (error) {
      checkSignal(signal);
      if (!AGAIN.includes(error.code) || ++tries > TRIES) throw error;
      await pause(Math.min(PAUSE.last, PAUSE.first * 2 ** (tries - 1)), signal);
    }
  }
  report(end);
}

/** The number of bytes that the server has. */
async function arrived(place, signal) {
  const offset = Number((await request('HEAD', place, { signal })).header('Upload-Offset') ?? NaN);
  if (Number.isSafeInteger(offset)) return offset;
  throw new SafelightError('bad_answer', 'the server does not report how much of the keys it has');
}

function address(location, url) {
  const place = location && new URL(location, url);
  if (place && place.origin === url.origin) return place;
  throw new SafelightError('bad_answer', 'the server gave no address for the keys');
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => (clearTimeout(timer), signal?.removeEventListener('abort', end), resolve());
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
