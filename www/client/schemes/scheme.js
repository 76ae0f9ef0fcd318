// What the keeper knows of a scheme.

/**
 * The manifest of a scheme. The keeper creates one instance of each class in schemes.js, and asks it for everything that
 * depends on the scheme. Each class defines the properties listed here, and overrides the methods below if it has to.
 *
 * A secret key is an object `{ fingerprint, bits, set, toBytes(), free() }`. `set` is its parameter set, if the scheme has
 * several. `toBytes` returns a copy of the key file, which the caller wipes. `free` wipes the key.
 *
 * @abstract
 * @property {string} name The scheme's name, as in `Scheme` of src/wire/kind.rs. It is also the kind of its keys.
 * @property {string} keyFile The kind of its key files, as in `Kind` of src/wire/kind.rs.
 * @property {object} ops The operations that it adds to the keeper, by name: functions `(args, { signal, progress })`.
 * @property {function} newKey Creates a secret key: `async (settings, { signal, progress })` returns `{ secret }`. The page
 *   sends the settings, and receives whatever is returned beside `secret`.
 * @property {function} openKey Checks a key file: `async (bytes, { signal })` returns its secret key.
 */
export class Scheme {
  /** `keeper` is what schemes may use of the keeper (see `offer` in keeper.js), `pool` the scheme's `Pool` or `LazyPool`. */
  constructor(keeper, pool) {
    this.keeper = keeper;
    this.pool = pool;
  }

  /** The secret key in a key file that `newKey` or `openKey` has seen before. `facts` are its fingerprint, bits and set. */
  restore(bytes, facts) {
    return new KeyFile(facts, bytes);
  }

  /** The name under which the ring stores the site's choice of default key. Browsers have stored it: never change it. */
  presetOf(site) {
    return `${this.name} ${site}`;
  }

  /** The key in use. Fails if there is none. */
  neededKey() {
    return this.keeper.neededKey(this.name);
  }

  /** The key in use is about to change or be removed: cancels work that depends on it, and ends the workers with copies. */
  forget() {
    this.pool.end();
  }

  /** The page reports that a worker died, perhaps one of this scheme's. */
  died(number, error) {
    this.pool.died(number, error);
  }

  /** The user pauses encryption and decryption. */
  pause() {}

  /** The user resumes them. */
  resume() {}

  /** The keeper has begun an operation, which takes priority over what a scheme computes ahead. */
  busy() {}

  /** The keeper has nothing to do, so a scheme may compute ahead. */
  idle() {}
}

/** A secret key of a module that is loaded on demand: the bytes of its file, which only that module's workers understand. */
class KeyFile {
  #bytes;

  /** Copies `bytes`. */
  constructor({ fingerprint, bits, set }, bytes) {
    Object.assign(this, { fingerprint, bits, set });
    this.#bytes = bytes.slice();
  }

  toBytes() {
    return this.#bytes.slice();
  }

  free() {
    this.#bytes.fill(0);
  }
}
