// Requests and answers over a MessagePort, a worker, or a worker's own scope. Everything in this project that exchanges
// messages uses it: the site's element and the vault, the vault and the key keeper, the keeper and its workers.
//
// Messages, all with `v`, the version of this format:
//   { v, id, op, args }            a request            { v, op, args }        a notification, without an answer
//   { v, id, cancel: true }        cancels it           { v, id, progress }    its progress, up to three numbers
//   { v, id, value }               its answer           { v, id, error }       or why it failed
//
// The other end may be hostile. Malformed messages and requests for unknown operations are dropped and reported to
// `onBad`; the operations check their arguments themselves.

import { cancelled, checkSignal, pack, SafelightError, unpack } from './errors.js';

/** The version of the messages. */
export const VERSION = 1;

export class Rpc {
  #end;
  #ops;
  #hooks;
  #calls = new Map(); // our pending requests
  #jobs = new Map(); // AbortControllers of the other end's pending requests
  #next = 1;
  #last = Promise.resolve();

  /**
   * Communicates over `end` and offers the operations `ops`: functions `(args, { signal, progress(...numbers) })`.
   * With `inOrder`, requests are answered one after the other; with `newsOnly`, none is, so that the time of an answer reveals
   * nothing. `onBad(what)` is called for invalid messages, `onFatal(error)` when an answer reports that the other
   * end can no longer work.
   */
  constructor(end, ops = {}, { inOrder = false, newsOnly = false, onBad = () => {}, onFatal = () => {} } = {}) {
    this.#end = end;
    this.#ops = new Map(Object.entries(ops));
    this.#hooks = { inOrder, newsOnly, onBad, onFatal };
    end.onmessage = ({ data }) => this.#hear(data);
  }

  /** Sends a request. The objects in `transfer` are transferred, not copied. */
  call(op, args = {}, { signal, onProgress, transfer = [] } = {}) {
    return new Promise((resolve, reject) => {
      checkSignal(signal);
      const id = this.#next++;
      const settle = (how) => (value) => {
        signal?.removeEventListener('abort', stop);
        this.#calls.delete(id);
        how(value);
      };
      const stop = () => {
        this.#send({ id, cancel: true });
        settle(reject)(cancelled());
      };
      signal?.addEventListener('abort', stop);
      this.#calls.set(id, { resolve: settle(resolve), reject: settle(reject), onProgress });
      this.#send({ id, op, args }, transfer);
    });
  }

  /** Sends a notification, without an answer. */
  tell(op, args = {}, transfer = []) {
    this.#send({ op, args }, transfer);
  }

  /** Closes the connection: our requests fail with `error`, those of the other end are aborted. */
  close(error = cancelled()) {
    this.#end.onmessage = null;
    this.#end.close?.();
    for (const job of this.#jobs.values()) job.abort();
    for (const call of this.#calls.values()) call.reject(error);
  }

  #send(message, transfer = []) {
    this.#end.postMessage({ v: VERSION, ...message }, transfer);
  }

  #hear(message) {
    const known = typeof message === 'object' && message !== null && message.v === VERSION;
    if (!known || !(message.id === undefined || Number.isSafeInteger(message.id))) {
      return this.#hooks.onBad('a message of the wrong kind or version');
    }
    if (typeof message.op === 'string') return this.#asked(message);
    if (message.cancel === true) return this.#jobs.get(message.id)?.abort();
    this.#answered(message);
  }

  #asked({ id, op, args }) {
    const work = this.#ops.get(op);
    const unwanted = this.#hooks.newsOnly && id !== undefined;
    if (!work || typeof args !== 'object' || args === null || unwanted || this.#jobs.has(id)) {
      return this.#hooks.onBad('an unsupported request');
    }
    const run = () => this.#run(id, work, args);
    this.#last = this.#hooks.inOrder ? this.#last.then(run) : run();
  }

  async #run(id, work, args) {
    const wanted = id !== undefined;
    const job = new AbortController();
    if (wanted) this.#jobs.set(id, job);
    const progress = (...numbers) => wanted && this.#send({ id, progress: numbers });
    try {
      const value = await work(args, { signal: job.signal, progress });
      if (wanted) this.#send({ id, value }, arrays(value));
    } catch (error) {
      const packed = pack(job.signal.aborted ? cancelled() : error);
      if (wanted) this.#send({ id, error: packed });
      else this.#hooks.onBad(packed.message);
    } finally {
      this.#jobs.delete(id);
    }
  }

  #answered({ id, progress, value, error }) {
    const call = this.#calls.get(id);
    if (!call) return; // it has been cancelled
    if (Array.isArray(progress)) return call.onProgress?.(...progress.slice(0, 3).map(Number));
    if (error === undefined) return call.resolve(value);
    const { code = 'bad_message', message = 'the other end failed', fatal = false } = Object(error);
    const failure = unpack({ code: String(code), message: String(message) });
    call.reject(failure);
    if (fatal) this.#hooks.onFatal(failure);
  }
}

/** The buffers in an answer, which are transferred. */
function arrays(value) {
  const parts = ArrayBuffer.isView(value) ? [value] : Object.values(Object(value)).filter(ArrayBuffer.isView);
  return [...new Set(parts.map(({ buffer }) => buffer))];
}

/** Fails unless `value`, received over a connection, has this type. */
export function expect(value, type, name) {
  const fits = typeof type === 'string' ? typeof value === type : value instanceof type;
  if (!fits) throw new SafelightError('bad_message', `${name} has the wrong type`);
  return value;
}
