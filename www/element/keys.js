// The upload of evaluation keys, which are gigabytes: piece by piece, and where it breaks off it goes on, by
// draft-ietf-httpbis-resumable-upload.

import { checkSignal, SafelightError } from '../shared/errors.js';
import { request } from './request.js';

const TRIES = 8; // without a byte that arrived
const PAUSE = { first: 500, last: 15_000 }; // ms before the next try
// What may be over soon. ("cancelled" says a server of an upload that another request has taken over.)
const AGAIN = ['unreachable', 'wrong_offset', 'stalled', 'too_busy', 'quota_exceeded', 'cancelled'];

/**
 * Sends `keys`, an async iterable of Blobs with the number of their `bytes`, to the server at `base`. Gives the id under which
 * they can be used, which nobody else knows.
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
    if (start !== total) throw new SafelightError('internal', 'there were fewer keys than were announced');
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

/** Sends a piece that begins at byte `start` of the file. */
async function append(place, piece, start, { signal, report }) {
  const end = start + piece.size;
  let [offset, tries] = [start, 0];
  while (offset < end) {
    try {
      const from = tries > 0 ? await arrived(place, signal) : offset;
      if (from < start || from > end) throw new SafelightError('bad_answer', 'the server has lost a part of the keys');
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

/** How many bytes the server has. */
async function arrived(place, signal) {
  const offset = Number((await request('HEAD', place, { signal })).header('Upload-Offset') ?? NaN);
  if (Number.isSafeInteger(offset)) return offset;
  throw new SafelightError('bad_answer', 'the server does not say how much of the keys has arrived');
}

function address(location, url) {
  const place = location && new URL(location, url);
  if (place && place.origin === url.origin) return place;
  throw new SafelightError('bad_answer', 'the server gave no place for the keys');
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => (clearTimeout(timer), signal?.removeEventListener('abort', end), resolve());
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
