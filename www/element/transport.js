// HTTP requests to the server that filters. Everything that passes through here is already encrypted, or not secret.

import { cancelled, checkSignal, SafelightError } from '../shared/errors.js';
import { request } from './request.js';

const MEDIA_TYPE = 'application/vnd.safelight';
const EVENT_SILENCE = 20_000; // ms without an event after which polling takes over
const POLL = { first: 300, last: 3000 }; // ms between two polls of a job

/** A server's address and what it offers. */
export class Server {
  #base;
  info = null; // its answer to GET /v1, if any

  /** `base` is the address above the server's `v1/`; a page may give a relative one. */
  constructor(base) {
    this.#base = address(base, globalThis.location?.href);
    if (!this.#base) throw new SafelightError('bad_argument', `not a valid server address: ${base}`);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
  }

  /** The address above the server's `v1/`. */
  get base() {
    return new URL(this.#base);
  }

  get host() {
    return this.#base.host;
  }

  /** Name and version, if known. */
  get title() {
    return this.info ? `${this.info.name} ${this.info.version}` : '';
  }

  /** Asks what the server offers. A very simple server may not answer. */
  async look({ signal } = {}) {
    try {
      const { body } = await request('GET', new URL('v1', this.#base), { signal });
      this.info = JSON.parse(await body.text());
    } catch {
      checkSignal(signal);
      this.info = null;
    }
    return this.info;
  }

  /**
   * Has an encrypted image filtered and returns the encrypted result, both as Blobs. `onProgress` receives
   * `{ phase, done, total }` for the phases "upload", "filter" and "download"; a `total` of 0 means unknown.
   */
  async filter(image, { filter, params = {}, signal, onProgress }) {
    const url = new URL(`v1/filters/${encodeURIComponent(filter)}`, this.#base);
    url.search = new URLSearchParams(params);
    const body = image instanceof Blob ? image : new Blob([image]);
    const report = (phase, done, total) => onProgress?.({ phase, done, total });
    report('upload', 0, body.size);
    const answer = await request('POST', url, {
      body,
      signal,
      headers: { 'Content-Type': MEDIA_TYPE, Prefer: 'respond-async' },
      onUpload: (done, total) => (done < total ? report('upload', done, total) : report('filter', 0, 0)),
      onDownload: (done, total, status) => status === 200 && report('download', done, total),
    });
    if (answer.status === 200) return answer.body;
    const job = jobAddress(answer, url);
    try {
      await finished(job, signal, (done, total) => report('filter', done, total));
      report('download', 0, 0);
      const onDownload = (done, total) => report('download', done, total);
      return (await request('GET', new URL(`${job.href}/result`), { signal, onDownload })).body;
    } finally {
      // Fetched, failed or cancelled: in any case, the server should keep nothing.
      fetch(job, { method: 'DELETE', keepalive: true }).catch(() => {});
    }
  }

  /**
   * Sends evaluation keys, an async iterable of Blobs with the total size `bytes`. Resumes after a broken connection. Returns
   * the id under which they can be used and deleted, which no one else knows. `onProgress` reports the phase "upload".
   */
  async uploadKeys(keys, options) {
    const { uploadKeys } = await import('./keys.js');
    return uploadKeys(this.#base, keys, options);
  }

  async deleteKeys(id, options) {
    const { deleteKeys } = await import('./keys.js');
    return deleteKeys(this.#base, id, options);
  }
}

function jobAddress(answer, url) {
  const location = answer.status === 202 && answer.header('Location');
  const job = location && address(location, url);
  if (!job) throw badAnswer(`the server answered ${answer.status} without an address for the result`);
  if (job.origin !== url.origin) throw badAnswer('the server redirected the page to another server');
  return job;
}

/** Waits until a job is done: by server-sent events or, if those do not get through, by polling. */
async function finished(job, signal, onProgress) {
  const take = ({ state, done, total, error }) => {
    if (state === 'failed')
      throw new SafelightError(error?.code ?? 'bad_answer', error?.detail ?? 'the job failed on the server');
    if (total > 0) onProgress(done, total);
    return state === 'done';
  };
  if (await byEvents(job, signal, take)) return;
  for (let pause = POLL.first; ; pause = Math.min(POLL.last, pause * 1.3)) {
    const { body } = await request('GET', job, { signal });
    if (take(parsed(await body.text()))) return;
    await wait(pause, signal);
  }
}

/** Returns true if the job is done, false if events do not work here. Throws if the job failed or was cancelled. */
function byEvents(job, signal, take) {
  checkSignal(signal);
  if (typeof EventSource !== 'function') return false; // in Node
  return new Promise((resolve, reject) => {
    const source = new EventSource(`${job.href}/events`);
    let timer;
    const end = (settle, value) => {
      clearTimeout(timer);
      source.close();
      signal?.removeEventListener('abort', stop);
      settle(value);
    };
    const stop = () => end(reject, cancelled());
    const awake = () => {
      clearTimeout(timer);
      timer = setTimeout(() => end(resolve, false), EVENT_SILENCE);
    };
    const heard = (read) => {
      awake();
      try {
        if (take(read())) end(resolve, true);
      } catch (error) {
        end(reject, error);
      }
    };
    awake();
    source.addEventListener('progress', ({ data }) => heard(() => parsed(data)));
    source.addEventListener('done', () => end(resolve, true));
    source.addEventListener('failed', ({ data }) => heard(() => ({ state: 'failed', error: parsed(data) })));
    source.onerror = () => end(resolve, false);
    signal?.addEventListener('abort', stop);
  });
}

function address(text, base) {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

const badAnswer = (message) => new SafelightError('bad_answer', message);

/** A server's JSON answer, as an object. */
function parsed(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    throw badAnswer('the server sent an invalid answer');
  }
}

function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => (clearTimeout(timer), reject(cancelled()));
    const timer = setTimeout(() => (signal?.removeEventListener('abort', stop), resolve()), ms);
    signal?.addEventListener('abort', stop);
  });
}
