// The keys that the keeper has: the ring, and of each kind the one key in use, which alone is in memory.

import { SecretKey } from './pkg/safelight.js';
import { SafelightError } from '../shared/errors.js';
import { newLock, openLock } from './lock.js';
import { IN_MEMORY, openRing } from './ring.js';

const MOST_LETTERS = 60; // of a name
const KINDS = ['paillier', 'etc', 'ckks'];

/** A key of another module: the bytes of its file. Only the workers of that module know what to do with them. */
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
   * Opens the ring. `site` is whose default keys are used. `onGone(kind)` is called when the key in use is no longer that:
   * what runs with it must not go on. `onChange(state)` is called when another page has changed the ring.
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

  /** What the page shows: all keys, those in use by kind, whether this browser keeps them, and how they are protected. */
  async state() {
    const list = await this.#ring.list().catch(() => []);
    const used = {};
    for (const [kind, held] of this.#held) {
      const kept = list.find(({ fingerprint }) => fingerprint === held.facts.fingerprint);
      // The user may have cleared what this browser stores: then the key is here, and nowhere else.
      held.facts = kept ?? { ...held.facts, ...IN_MEMORY };
      if (!kept) list.push(held.facts);
      used[kind] = held.facts;
    }
    const { protection, locked } = await this.#ring.protection().catch(() => ({ protection: null, locked: false }));
    return { list, used, storage: this.#ring.storage, protection, locked };
  }

  /** A new key, or one from a file, which is then in use. */
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

  /** No key of this kind is in use any more; the ring keeps it. */
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
      if (!kind) throw error; // else it lives in memory only
    }
    return this.#changed();
  }

  async remove(fingerprint) {
    this.#release(this.#kindOf(fingerprint));
    await this.#ring.remove(fingerprint);
    return this.#changed({ deleted: fingerprint });
  }

  // ---- protection of what is stored

  /** The lock, without what is encrypted in it: `{ way }`, and of a passkey its `credential` and `salt`; or null. */
  async lock() {
    const lock = await this.#ring.lock();
    return lock && { way: lock.way, credential: lock.credential, salt: lock.salt };
  }

  /**
   * Protects the stored keys from now on, and stores those that are in memory only. `by` is `{ passphrase }` or
   * `{ passkey }`, as in lock.js; with neither they are stored unprotected.
   */
  async protect(by, protect) {
    const { lock = null, ring } = by.passphrase || by.passkey ? await newLock(by, protect) : {};
    await this.#ring.protect(lock, ring);
    await this.#storeHeld();
    return this.#changed();
  }

  /** Unlocks the ring, by `{ passphrase }` or `{ secret }`; the site's default keys are then in use. */
  async unlock(by, unprotect) {
    const lock = await this.#ring.lock();
    if (!lock) return this.state();
    await this.#ring.unlock(await openLock(lock, by, unprotect));
    await this.#storeHeld();
    await this.#usePresets();
    return this.#changed();
  }

  /** Takes all stored keys out of memory, here and in the site's other pages, and forgets what opens them. */
  async relock() {
    if (!(await this.#ring.lock())) {
      throw new SafelightError('bad_argument', 'the stored keys are not protected: there is nothing to be locked');
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
      // It cannot be stored (the disk is full, say): it is used all the same, and the page says that it is not kept.
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

  /** The site's default keys are in use, of the kinds of which none is. */
  async #usePresets() {
    for (const kind of KINDS) {
      const preset = this.#held.has(kind) ? null : await this.#ring.choice(this.#whose(kind));
      if (preset) await this.use(preset).catch(() => {}); // gone or locked: there is no key in use, as the page will say
    }
  }

  /** Whose choice: the site's, for each kind. */
  #whose(kind) {
    return kind === 'paillier' ? this.#site : `${kind} ${this.#site}`;
  }

  /** Of the key in use with this name. */
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

  /** Tells the site's other pages. */
  #changed(what = {}) {
    this.#news?.postMessage(what);
    return this.state();
  }

  #listen() {
    this.#news = new BroadcastChannel('safelight-ring');
    this.#news.onmessage = async ({ data: { deleted, locked, cleared } }) => {
      if (deleted) this.#release(this.#kindOf(deleted));
      if (locked) this.#lockUp();
      else await this.#ring.settle().catch(() => {}); // then they go on waiting
      if (cleared) for (const kind of KINDS) this.#release(kind);
      this.#hooks.onChange(await this.state());
    };
  }
}

function tidy(name = '') {
  if (typeof name !== 'string') throw new SafelightError('bad_argument', 'the name of a key is a text');
  return name.trim().slice(0, MOST_LETTERS);
}
