// The keeper's keys: the ring, and for each kind the key in use, the only one in memory.

import { SecretKey } from './pkg/safelight.js';
import { SafelightError } from '../shared/errors.js';
import { newLock, openLock } from './lock.js';
import { IN_MEMORY, openRing } from './ring.js';

const MOST_LETTERS = 60; // in a name
const KINDS = ['paillier', 'etc', 'ckks'];

/** A key of another module: the bytes of its file, which only that module's workers understand. */
export class KeyFile {
  #bytes;

  /** `set` is the parameter set of a key for encrypted vectors. */
  constructor({ kind, bits, set, fingerprint, bytes }) {
    Object.assign(this, { kind, bits, set, fingerprint });
    this.#bytes = bytes.slice();
  }

  toBytes() {
    return this.#bytes.slice();
  }

  free() {
    this.#bytes.fill(0);
  }
}

export class Keys {
  #ring;
  #site;
  #hooks;
  #news = null;
  #held = new Map(); // by kind, the key in use: `{ secret, facts }`

  /**
   * Opens the ring. `site` says whose default keys are used. `onGone(kind)` is called when a key is no longer in use: work
   * that depends on it must stop. `onChange(state)` is called when another page has changed the ring.
   */
  static async open({ remember, site, onGone, onChange }) {
    const keys = new Keys();
    keys.#ring = await openRing({ remember });
    keys.#site = site;
    keys.#hooks = { onGone, onChange };
    if (keys.#ring.storage === 'kept') keys.#listen();
    await keys.#usePresets();
    return keys;
  }

  /** The key in use: a SecretKey, or a KeyFile. */
  secret(kind = 'paillier') {
    return this.#held.get(kind)?.secret ?? null;
  }

  /** What the page shows: all keys, those in use by kind, whether this browser stores them, and how they are protected. */
  async state() {
    const list = await this.#ring.list().catch(() => []);
    const used = {};
    for (const [kind, held] of this.#held) {
      const kept = list.find(({ fingerprint }) => fingerprint === held.facts.fingerprint);
      // The user may have cleared the browser's storage: then the key is only here.
      held.facts = kept ?? { ...held.facts, ...IN_MEMORY };
      if (!kept) list.push(held.facts);
      used[kind] = held.facts;
    }
    const { protection, locked } = await this.#ring.protection().catch(() => ({ protection: null, locked: false }));
    return { list, used, storage: this.#ring.storage, protection, locked };
  }

  /** Adds a new key, or one from a file, and uses it. */
  async add(secret, { name, exported = false }) {
    const { kind = 'paillier', fingerprint, bits, set } = secret;
    const known = (await this.#ring.list()).find((other) => other.fingerprint === fingerprint);
    const facts = { fingerprint, kind, bits, name: tidy(name) || known?.name || '' };
    if (set) facts.set = set;
    facts.created = known?.created ?? Date.now();
    facts.exported = exported || (known?.exported ?? false);
    await this.#store(secret, facts);
    this.#hold(secret, { ...facts, ...IN_MEMORY });
    return this.#changed();
  }

  async use(fingerprint) {
    if (this.#kindOf(fingerprint)) return this.state();
    const bytes = await this.#ring.take(fingerprint);
    const facts = (await this.#ring.list()).find((key) => key.fingerprint === fingerprint);
    try {
      this.#hold(facts.kind === 'paillier' ? SecretKey.fromBytes(bytes) : new KeyFile({ ...facts, bytes }), facts);
    } finally {
      bytes.fill(0);
    }
    await this.#ring.choose(this.#whose(facts.kind), fingerprint);
    return this.state();
  }

  /** Stops using the key of this kind; the ring keeps it. */
  drop(kind) {
    this.#release(kind);
    return this.state();
  }

  async change(fingerprint, { name, exported }) {
    const changes = {};
    if (name !== undefined) changes.name = tidy(name);
    if (exported !== undefined) changes.exported = exported;
    const kind = this.#kindOf(fingerprint);
    if (kind) Object.assign(this.#held.get(kind).facts, changes);
    try {
      await this.#ring.change(fingerprint, changes);
    } catch (error) {
      if (!kind) throw error; // otherwise it is in memory only
    }
    return this.#changed();
  }

  async remove(fingerprint) {
    this.#release(this.#kindOf(fingerprint));
    await this.#ring.remove(fingerprint);
    return this.#changed({ deleted: fingerprint });
  }

  // ---- protection of what is stored

  /** The lock without its encrypted part: `{ way }`, for a passkey with `credential` and `salt`; or null. */
  async lock() {
    const lock = await this.#ring.lock();
    return lock && { way: lock.way, credential: lock.credential, salt: lock.salt };
  }

  /**
   * Protects the stored keys, and stores those that are only in memory. `by` is `{ passphrase }` or `{ passkey }`, as in
   * lock.js; with neither, the keys are stored unprotected.
   */
  async protect(by, protect) {
    const { lock = null, ring } = by.passphrase || by.passkey ? await newLock(by, protect) : {};
    await this.#ring.protect(lock, ring);
    await this.#storeHeld();
    return this.#changed();
  }

  /** Unlocks the ring with `{ passphrase }` or `{ secret }`, and uses the site's default keys. */
  async unlock(by, unprotect) {
    const lock = await this.#ring.lock();
    if (!lock) return this.state();
    await this.#ring.unlock(await openLock(lock, by, unprotect));
    await this.#storeHeld();
    await this.#usePresets();
    return this.#changed();
  }

  /** Removes all stored keys from memory, here and in the site's other pages, and forgets the ring key. */
  async relock() {
    if (!(await this.#ring.lock())) {
      throw new SafelightError('bad_argument', 'the stored keys are not protected: there is nothing to lock');
    }
    this.#lockUp();
    return this.#changed({ locked: true });
  }

  /** Deletes all keys, stored or in use, and the lock. */
  async clear() {
    for (const kind of KINDS) this.#release(kind);
    await this.#ring.clear();
    return this.#changed({ cleared: true });
  }

  #lockUp() {
    this.#ring.relock();
    for (const [kind, { facts }] of [...this.#held]) if (facts.stored) this.#release(kind);
  }

  /** Stores a key and makes it the site's default. */
  async #store(secret, { stored: _, protected: __, exposed: ___, waits: ____, ...facts }) {
    const bytes = secret.toBytes();
    try {
      await this.#ring.put(facts, bytes);
      await this.#ring.choose(this.#whose(facts.kind), facts.fingerprint);
    } catch {
      // It cannot be stored (the disk is full, say): it is used anyway, and the page says that it is not stored.
    } finally {
      bytes.fill(0);
    }
  }

  async #storeHeld() {
    const stored = (await this.#ring.list()).map(({ fingerprint }) => fingerprint);
    for (const { secret, facts } of this.#held.values()) {
      if (!stored.includes(facts.fingerprint)) await this.#store(secret, facts);
    }
  }

  /** Uses the site's default keys for the kinds that have no key in use. */
  async #usePresets() {
    for (const kind of KINDS) {
      const preset = this.#held.has(kind) ? null : await this.#ring.choice(this.#whose(kind));
      if (preset) await this.use(preset).catch(() => {}); // gone or locked: no key is in use, and the page says so
    }
  }

  /** Under which name the default key is stored: the site's, for each kind. */
  #whose(kind) {
    return kind === 'paillier' ? this.#site : `${kind} ${this.#site}`;
  }

  /** The kind of the key in use with this fingerprint. */
  #kindOf(fingerprint) {
    return KINDS.find((kind) => this.#held.get(kind)?.facts.fingerprint === fingerprint);
  }

  #hold(secret, facts) {
    this.#release(facts.kind);
    this.#held.set(facts.kind, { secret, facts });
  }

  #release(kind) {
    const held = this.#held.get(kind);
    if (!held) return;
    this.#hooks.onGone(kind);
    held.secret.free();
    this.#held.delete(kind);
  }

  /** Notifies the site's other pages. */
  #changed(what = {}) {
    this.#news?.postMessage(what);
    return this.state();
  }

  #listen() {
    this.#news = new BroadcastChannel('safelight-ring');
    this.#news.onmessage = async ({ data: { deleted, locked, cleared } }) => {
      if (deleted) this.#release(this.#kindOf(deleted));
      if (locked) this.#lockUp();
      else await this.#ring.settle().catch(() => {}); // then they keep waiting
      if (cleared) for (const kind of KINDS) this.#release(kind);
      this.#hooks.onChange(await this.state());
    };
  }
}

function tidy(name = '') {
  if (typeof name !== 'string') throw new SafelightError('bad_argument', 'the name of a key must be a string');
  return name.trim().slice(0, MOST_LETTERS);
}
