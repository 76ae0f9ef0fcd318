// Encrypted vectors (CKKS): the keeper's part. Their module is loaded on demand. A worker that has the key is kept for the next
// vector; workers that made evaluation keys, which take much memory, are ended.

import { SafelightError, unpack } from '../../../shared/errors.js';
import { LazyPool } from '../../pool.js';
import { Scheme } from '../scheme.js';

const MEMORY = 1.5e9; // bytes for the workers that make evaluation keys, in total
const ONE = 6; // memory for making a key, as a multiple of its length (approximately)

export class Ckks extends Scheme {
  name = 'ckks';
  keyFile = 'ckks_secret_key';
  ops = {
    encrypt: (args, how) => this.#run('encrypt', args, how),
    decrypt: (args, how) => this.#run('decrypt', args, how),
    readSpec: ({ spec }, { signal }) => this.pool.reused(signal, (helper) => helper.call('readSpec', { spec })),
    encryptPhoto: (args, how) => this.#encryptPhoto(args, how),
    openAnswer: (args, how) => this.#run('openAnswer', args, how),
    beginKeys: (args, how) => this.#begin(args, how),
    makeKeys: (args, how) => this.#make(args, how),
    endKeys: ({ set }) => this.#end(set),
  };
  #sets = new Map(); // evaluation keys in the making: `{ key, header }`

  constructor(keeper) {
    super(keeper, new LazyPool(keeper.page, 'ckks'));
  }

  /** A new key of a parameter set, and its public half as a file. */
  async newKey({ set }, { signal }) {
    const { bytes, publicKey, ...facts } = await this.pool.run(signal, (helper) => helper.call('newKey', { set }));
    const secret = this.restore(bytes, facts);
    bytes.fill(0);
    return { secret, publicKey: new Blob([publicKey], { type: 'application/vnd.safelight' }) };
  }

  async openKey(bytes, { signal }) {
    const facts = await this.pool.run(signal, (helper) => helper.call('check', { bytes }));
    return this.restore(bytes, facts);
  }

  forget() {
    this.#sets.clear();
    super.forget();
  }

  /** Has a worker with the key do one of its operations (compute.js). */
  async #run(op, args, { signal }) {
    const answer = await this.#with(this.neededKey(), signal, (helper) => helper.call(op, args));
    if (answer?.failure) throw unpack(answer.failure);
    return answer;
  }

  /** Encrypts a kept photo for a network, in the colours of the photos that the network learned from. */
  async #encryptPhoto({ photo: id, spec }, how) {
    const { photos } = this.keeper;
    const { samples, width, height, channels } = await photos.inSrgb(photos.get(id), how.signal);
    return this.#run('encryptPhoto', { spec, photo: { samples, width, height, channels } }, how);
  }

  /** Prepares evaluation keys: returns their id, the header of the file, and the length of each part in bytes. */
  async #begin({ wanted }, { signal }) {
    const key = this.neededKey();
    const { header, lengths } = await this.pool.run(signal, async (helper) => {
      giveKey(helper, key);
      return helper.call('list', { wanted });
    });
    const set = crypto.randomUUID();
    this.#sets.set(set, { key, header });
    return { set, header: header.slice(), lengths, workers: workers(Math.max(...lengths)) };
  }

  /** Makes one part of evaluation keys. Several can be requested at once: each has its own worker. */
  async #make({ set, part }, { signal }) {
    const made = this.#sets.get(set);
    if (!made) throw new SafelightError('cancelled', 'the work was cancelled');
    const bytes = await this.#with(made.key, signal, async (helper) => {
      if (helper.making !== set) await helper.call('making', { header: made.header });
      helper.making = set;
      return helper.call('make', { part });
    });
    return new Blob([bytes]); // a Blob can be moved to disk, an array cannot
  }

  /** No more parts are wanted. */
  #end(set) {
    this.#sets.delete(set);
    if (this.#sets.size === 0) return this.pool.rest();
  }

  #with(key, signal, work) {
    return this.pool.reused(signal, (helper) => {
      if (!helper.hasKey) giveKey(helper, key);
      return work(helper);
    });
  }
}

function giveKey(helper, key) {
  const bytes = key.toBytes();
  helper.hasKey = true;
  // A failure will show in the worker's next request.
  helper.call('key', { bytes }, [bytes.buffer]).catch(() => {});
}

/** The number of workers for evaluation keys whose longest part has `longest` bytes. */
function workers(longest) {
  const cores = Math.min(8, navigator.hardwareConcurrency || 2);
  return Math.max(1, Math.min(cores, Math.floor(MEMORY / (ONE * longest))));
}
