// HTTP to the server that filters. Everything that passes through here is encrypted already, or is no secret.

import { cancelled, checkSignal, SafelightError } from '../shared/errors.js';

const MEDIA_TYPE = 'application/vnd.safelight';
const EVENT_SILENCE = 20_000; // ms without an event after which polling takes over
const POLL = { first: 300, last: 3000 }; // ms between two looks at a job

/** Where the filters of a server lie, with a look at what it offers. */
export class Server {
  #base;
  info = null; // its answer to GET /v1, if it gave one

  constructor(base) {
    this.#base = new URL(base);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
  }

  get host() {
    return this.#base.host;
  }

  /** Name and version, if it said so. */
  get title() {
    return this.info ? `${this.info.name} ${this.info.version}` : '';
  }

  /** Asks what the server can do. A very simple server may not say. */
  async look() {
    try {
      const { body } = await request('GET', new URL('v1', this.#base));
      this.info = JSON.parse(await body.text());
    } catch {
      this.info = null;
    }
    return this.info;
  }

  /** Sends an encrypted image through a filter and gives back the encrypted result. `report(phase, done, total)`. */
  async filter({ name, params, body, signal, report }) {
    const url = new URL(`v1/filters/${encodeURIComponent(name)}`, this.#base);
    url.search = new URLSearchParams(params);
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
      // Fetched, failed or cancelled: either way the server shall keep nothing.
      fetch(job, { method: 'DELETE', keepalive: true }).catch(() => {});
    }
  }
}

function jobAddress(answer, url) {
  const location = answer.status === 202 && answer.header('Location');
  if (!location)
    throw new SafelightError(
      'bad_answer',
      `the server answered ${answer.status} without a place to look for the result`,
    );
  const job = new URL(location, url);
  if (job.origin !== url.origin) throw new SafelightError('bad_answer', 'the server sent the page to another server');
  return job;
}

/** One request. Fails with the server's own code where it gave one. */
function request(method, url, { body = null, headers = {}, signal, onUpload, onDownload } = {}) {
  return new Promise((resolve, reject) => {
    checkSignal(signal);
    const xhr = new XMLHttpRequest();
    const stop = () => xhr.abort();
    const lost = () =>
      reject(new SafelightError('unreachable', `the server ${url.host} could not be reached or broke off`));
    xhr.open(method, url);
    xhr.responseType = 'blob';
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (onUpload) xhr.upload.onprogress = ({ loaded, total }) => onUpload(loaded, total);
    if (onUpload) xhr.upload.onload = ({ loaded }) => onUpload(loaded, loaded);
    if (onDownload) xhr.onprogress = ({ loaded, total }) => onDownload(loaded, total, xhr.status);
    xhr.onload = async () => {
      const { status, response } = xhr;
      if (status >= 200 && status < 300)
        resolve({ status, body: response, header: (name) => xhr.getResponseHeader(name) });
      else reject(problem(status, await response.text().catch(() => '')));
    };
    xhr.onerror = lost;
    xhr.ontimeout = lost;
    xhr.onabort = () => reject(cancelled());
    xhr.onloadend = () => signal?.removeEventListener('abort', stop);
    signal?.addEventListener('abort', stop);
    xhr.send(body);
  });
}

function problem(status, text) {
  try {
    const { code, detail, title } = JSON.parse(text);
    if (typeof code === 'string') return new SafelightError(code, detail || title || `the server answered ${status}`);
  } catch {
    // not a problem document
  }
  return new SafelightError('bad_answer', `the server answered ${status} without saying why`);
}

/** Waits until a job is done: by server-sent events, and by asking where those do not come through. */
async function finished(job, signal, onProgress) {
  const take = ({ state, done, total, error }) => {
    if (state === 'failed')
      throw new SafelightError(error?.code ?? 'bad_answer', error?.detail ?? 'the server gave up');
    if (total > 0) onProgress(done, total);
    return state === 'done';
  };
  if (await byEvents(job, signal, take)) return;
  for (let pause = POLL.first; ; pause = Math.min(POLL.last, pause * 1.3)) {
    const { body } = await request('GET', job, { signal });
    if (take(JSON.parse(await body.text()))) return;
    await wait(pause, signal);
  }
}

/** True when the job is done, false when events do not work here. Throws when the job failed or was cancelled. */
function byEvents(job, signal, take) {
  return new Promise((resolve, reject) => {
    checkSignal(signal);
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
    const heard = (event) => {
      awake();
      try {
        if (take(event)) end(resolve, true);
      } catch (error) {
        end(reject, error);
      }
    };
    awake();
    source.addEventListener('progress', ({ data }) => heard(JSON.parse(data)));
    source.addEventListener('done', () => end(resolve, true));
    source.addEventListener('failed', ({ data }) => heard({ state: 'failed', error: JSON.parse(data) }));
    source.onerror = () => end(resolve, false);
    signal?.addEventListener('abort', stop);
  });
}

function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => (clearTimeout(timer), reject(cancelled()));
    const timer = setTimeout(() => (signal?.removeEventListener('abort', stop), resolve()), ms);
    signal?.addEventListener('abort', stop);
  });
}
