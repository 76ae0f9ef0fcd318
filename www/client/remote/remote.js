// A server's operations. The protocol is in the WebAssembly module, the same code as in the command line. The caller provides
// the function that exchanges requests.

import init, * as conversations from './pkg/safelight_remote.js';
import { pack, SafelightError, unpack } from '../../shared/errors.js';
import { compileBest } from '../build.js';

/** How the WebAssembly file is read: the only thing that differs between pages and Node. */
export const loader = { module: () => compileBest('remote') };

let loaded = null; // a promise

function load() {
  loaded ??= loader.module().then((module) => init({ module_or_path: module }));
  loaded.catch(() => (loaded = null)); // it may succeed next time
  return loaded;
}

/**
 * A server's operations. They take a `signal`, and report `{ phase, done, total }` to `onProgress`, where a `total` of 0 means
 * unknown.
 */
export class Remote {
  #exchange;

  /** `exchange(request, { signal, sent, received })` exchanges a request, like the function in shared/exchange.js. */
  constructor(exchange) {
    this.#exchange = exchange;
  }

  /** What the server says about itself. */
  async look({ signal } = {}) {
    return JSON.parse(await this.#run('look', [], nothing, { signal }));
  }

  /**
   * Has an encrypted image filtered and returns the encrypted result, both as Blobs. The phases are "upload", "filter" and
   * "download".
   */
  async filter(image, { filter, params = {}, signal, onProgress }) {
    const body = image instanceof Blob ? image : new Blob([image]);
    const texts = Object.entries(params).flat().map(String);
    return this.#run('filter', [String(filter), texts, body.size], slices(body), { signal, onProgress, work: 'filter' });
  }

  /**
   * Sends evaluation keys: a Blob, or an async iterable of Blobs with the total size `bytes`. Resumes after a broken
   * connection. Returns the path under which they can be used and deleted, which no one else knows. The phase is "upload".
   */
  async sendKeys(keys, { signal, onProgress } = {}) {
    const [length, input] = keys instanceof Blob ? [keys.size, slices(keys)] : [keys.bytes, inTurn(keys)];
    return this.#run('sendKeys', [length], input, { signal, onProgress });
  }

  /**
   * Has a model learn from `pictures`, a list of `{ label, file }`. Returns `{ id, labels }`: anyone who knows the id can use
   * the model, and the labels are in the order of its classes. The phases are "upload" and "learn".
   */
  async train(pictures, { learner, signal, onProgress }) {
    const labels = pictures.map(({ label }) => label);
    const length = pictures.reduce((sum, { file }) => sum + file.size, 0);
    return this.#run('train', [learner, labels, length], async ({ form }) => form && pictures, { signal, onProgress, work: 'learn' });
  }

  /** Asks a model what a picture shows. Returns `{ label, probabilities }`: one probability per class, or null. */
  async classify(model, file, { signal } = {}) {
    const { label, probabilities = null } = await this.#run('classify', [model, file.type, file.size], slices(file), { signal });
    return { label, probabilities };
  }

  /** The public part of a network: its input format and its labels. */
  async network(name, { signal } = {}) {
    return this.#run('network', [name], nothing, { signal });
  }

  /**
   * Has a network classify an encrypted photo with the evaluation keys under a path from `sendKeys`. Returns its encrypted
   * answer. The phases are "upload", "classify" and "download".
   */
  async ask(network, keys, file, { signal, onProgress } = {}) {
    return this.#run('ask', [network, keys, file.size], slices(file), { signal, onProgress, work: 'classify' });
  }

  /** Deletes keys or a model by their path. */
  async remove(path, { signal } = {}) {
    return this.#run('remove', [path], nothing, { signal });
  }

  /** Like `remove`, but does not wait for an answer, and ignores failures. */
  forget(path) {
    this.#run('forget', [path], nothing, {}).catch(() => {});
  }

  /** Runs an operation. `input(body)` returns the content of a request; `work` names the phase in which the server works, if it is reported. */
  async #run(operation, args, input, { signal, onProgress, work }) {
    await load();
    const driver = {
      signal,
      exchange: async ({ body, ...request }, sent, received) =>
        this.#exchange({ ...request, body: await input(body) }, { signal: request.farewell ? undefined : signal, sent, received }),
      progress: ({ phase, done, total }) => {
        const shown = phase === 'work' ? work : phase;
        if (shown) onProgress?.({ phase: shown, done, total });
      },
    };
    try {
      return await conversations[operation](driver, ...args);
    } catch (error) {
      throw unpack(pack(error));
    }
  }
}

const nothing = async () => undefined;

/** The requested bytes of a Blob. */
function slices(blob) {
  return async ({ input }) => input && blob.slice(input.start, input.end);
}

/** The same for an async iterable of Blobs, which is read in order. Blobs that the server has acknowledged are dropped. */
function inTurn(blobs) {
  const iterator = blobs[Symbol.asyncIterator]();
  let [held, start, end] = [[], 0, 0]; // the Blobs with the bytes from `start` to `end`
  return async ({ input }) => {
    if (!input) return undefined;
    while (held.length > 0 && start + held[0].size <= input.start) start += held.shift().size;
    while (end < input.end) {
      const { done, value } = await iterator.next();
      if (done) throw new SafelightError('internal', 'the keys do not have the announced size');
      held.push(value);
      end += value.size;
    }
    return new Blob(held).slice(input.start - start, input.end - start);
  };
}
