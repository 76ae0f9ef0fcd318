// HTTP requests to the server that learns from scrambled pictures. It sees the pictures, and numbers instead of names.

import { SafelightError } from '../shared/errors.js';
import { request } from './request.js';

const MOST_CLASSES = 10_000;

/**
 * Has the server at `base` learn from `pictures`, a list of `{ label, file }`. Returns `{ id, labels }`: anyone who knows the
 * id can use the model, and the labels are in the order of its classes. `onProgress` receives `{ phase, done, total }` for
 * the phases "upload" and "learn".
 */
export async function train(base, pictures, { learner, signal, onProgress }) {
  const url = new URL('v1/models', base);
  url.search = new URLSearchParams({ learner });
  const body = new FormData();
  for (const { label, file } of pictures) {
    // Firefox (153) never finishes sending a form with blobs from another process, such as the vault's, so they are copied.
    body.append(label, new Blob([await file.arrayBuffer()], { type: file.type }), 'picture.png');
  }
  const report = (phase, done, total) => onProgress?.({ phase, done, total });
  const onUpload = (done, total) => (done < total ? report('upload', done, total) : report('learn', 0, 0));
  report('upload', 0, 0);
  const { id, classes } = await json(await request('POST', url, { body, signal, onUpload }));
  const labels = Array.isArray(classes) && classes.length <= MOST_CLASSES ? classes.map((one) => one?.label) : [];
  if (typeof id !== 'string' || labels.length === 0 || !labels.every((label) => typeof label === 'string')) throw bad();
  return { id, labels };
}

/** Asks what a picture shows. Returns `{ label, probabilities }`: one probability per class, or null. */
export async function classify(base, id, file, { signal }) {
  const headers = { 'Content-Type': file.type };
  const url = new URL(`v1/classifiers/${encodeURIComponent(id)}`, base);
  const { label, probabilities } = await json(await request('POST', url, { body: file, headers, signal }));
  if (typeof label !== 'string') throw bad();
  return { label, probabilities: Array.isArray(probabilities) ? probabilities : null };
}

/** Tells the server to forget a model, without waiting for the answer. */
export function forget(base, id) {
  fetch(new URL(`v1/models/${encodeURIComponent(id)}`, base), { method: 'DELETE', keepalive: true }).catch(() => {});
}

async function json({ body }) {
  try {
    return Object(JSON.parse(await body.text()));
  } catch {
    throw bad();
  }
}

const bad = () => new SafelightError('bad_answer', 'the server sent an invalid answer');
