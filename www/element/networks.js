// HTTP requests to a server with a network that classifies encrypted photos. Everything that passes through here is
// encrypted or public: it reveals neither the photo nor what the network says about it.

import { SafelightError } from '../shared/errors.js';
import { uploadKeys } from './keys.js';
import { request } from './request.js';

const MEDIA_TYPE = 'application/vnd.safelight';
const LONGEST_FRONT = 8e6; // bytes of a network's public part

/** The public part of a network: its input format and its labels. */
export async function fetchFront(base, model, { signal }) {
  const { body } = await request('GET', new URL(`v1/models/${encodeURIComponent(model)}/file`, base), { signal });
  if (body.size <= LONGEST_FRONT) return body;
  throw new SafelightError('too_large', 'the public part of this network is too large; use another one');
}

/** Sends a file of evaluation keys. Returns the handle that `dropKeys` and `ask` take. */
export async function sendKeys(base, file, { signal, onProgress }) {
  const keys = {
    bytes: file.size,
    async *[Symbol.asyncIterator]() {
      yield file;
    },
  };
  return { base, id: await uploadKeys(base, keys, { signal, onProgress }) };
}

/** Tells the server to forget evaluation keys, without waiting for the answer. */
export function dropKeys({ base, id }) {
  fetch(new URL(`v1/keys/${encodeURIComponent(id)}`, base), { method: 'DELETE', keepalive: true }).catch(() => {});
}

/** Has a network classify an encrypted photo. Returns its encrypted answer. */
export async function ask({ base, id }, model, file, { signal, onProgress }) {
  const url = new URL(`v1/classifiers/${encodeURIComponent(model)}`, base);
  url.search = new URLSearchParams({ keys: id });
  const report = (phase, done, total) => onProgress({ phase, done, total });
  const onUpload = (done, total) => (done < total ? report('upload', done, total) : report('classify', 0, 0));
  report('upload', 0, file.size);
  return (await request('POST', url, { body: file, headers: { 'Content-Type': MEDIA_TYPE }, signal, onUpload })).body;
}
