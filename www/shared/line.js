// Requests and answers over a MessagePort, a worker, or a worker's own scope. Every conversation of this project uses it:
// the site's element with the vault, the vault with the keeper of the keys, the keeper with its workers.
//
// Messages, all with `v`, the version of this format:
//   { v, id, op, args }            a request            { v, op, args }        news, which is not answered
//   { v, id, cancel: true }        give it up           { v, id, progress }    how far it is, as [done, total]
//   { v, id, value }               its answer           { v, id, error }       or why there is none
//
// The other end may be hostile. Whatever is no message of this kind, or asks for something that is not offered, is
// dropped and reported to `onBad`; the operations check their arguments themselves.

import { cancelled, checkSignal, pack, SafelightError, unpack } from './errors.js';

/** The version of the messages. */
export const VERSION = 1;

export class Line {
  #end;
  #ops;
  #hooks;
  #calls = new Map(); // our requests under way
  #jobs = new Map(); // AbortControllers of the other end's requests under way
  #next = 1;
  #last = Promise.resolve();

  /**
   * Speaks over `end` and offers the operations `ops`: functions `(args, { signal, progress(done, total) })`.
   * `inOrder` answers one request after the other, `newsOnly` none: nothing is to be learned from when an answer comes. `onBad(what)` hears of messages that are none, `onFatal(error)` of an
   * answer that says that the other end can do no more.
   */
  constructor(end, ops = {}, { inOrder = false, newsOnly = false, onBad = () => {}, onFatal = () => {} } = {}) {
    this.#end = end;
    this.#ops = new Map(Object.entries(ops));
    this.#hooks = { inOrder, newsOnly, onBad, onFatal };
    end.onmessage = ({ data }) => this.#hear(data);
  }

  /** Asks for something. What `transfer` lists is handed over instead of copied. */
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

  /** Tells something; there is no answer. */
  tell(op, args = {}, transfer = []) {
    this.#send({ op, args }, transfer);
  }

  /** Ends the conversation: our requests fail with `error`, those of the other end are given up. */
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
      return this.#hooks.onBad('a message of another kind or version');
    }
    if (typeof message.op === 'string') return this.#asked(message);
    if (message.cancel === true) return this.#jobs.get(message.id)?.abort();
    this.#answered(message);
  }

  #asked({ id, op, args }) {
    const work = this.#ops.get(op);
    const unwanted = this.#hooks.newsOnly && id !== undefined;
    if (!work || typeof args !== 'object' || args === null || unwanted || this.#jobs.has(id)) {
      return this.#hooks.onBad('a request that is not offered');
    }
    const run = () => this.#run(id, work, args);
    this.#last = this.#hooks.inOrder ? this.#last.then(run) : run();
  }

  async #run(id, work, args) {
    const wanted = id !== undefined;
    const job = new AbortController();
    if (wanted) this.#jobs.set(id, job);
    const progress = (done, total) => wanted && this.#send({ id, progress: [done, total] });
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
    if (!call) return; // it was given up meanwhile
    if (Array.isArray(progress)) return call.onProgress?.(...progress.slice(0, 2).map(Number));
    if (error === undefined) return call.resolve(value);
    const { code = 'bad_message', message = 'the other end failed', fatal = false } = Object(error);
    const failure = unpack({ code: String(code), message: String(message) });
    call.reject(failure);
    if (fatal) this.#hooks.onFatal(failure);
  }
}

/** The buffers in an answer: they are handed over. */
function arrays(value) {
  const parts = ArrayBuffer.isView(value) ? [value] : Object.values(Object(value)).filter(ArrayBuffer.isView);
  return [...new Set(parts.map(({ buffer }) => buffer))];
}

/** Fails unless `value` is a `type`; for what came over a line. */
export function expect(value, type, name) {
  const fits = typeof type === 'string' ? typeof value === type : value instanceof type;
  if (!fits) throw new SafelightError('bad_message', `${name} is not what it should be`);
  return value;
}
