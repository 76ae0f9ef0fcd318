// The keeper's keys: the ring, and for each kind the key in use, the only one in memory.

import { SafelightError } from '../shared/errors.js';
import { newLock, openLock } from './lock.js';
import { IN_MEMORY, openRing } from './ring.js';

const MOST_LETTERS = 60; // in a name

export class Keys {
  #ring;
  #site;
  #schemes; // by name, which is also the kind of their keys
  #onChange;
  #news = null;
  #held = new Map(); // by kind, the key in use: `{ secret, facts }`

  /**
   * Opens the ring. Uses the default keys of `site`. `schemes` maps names to schemes, which are notified when their key is no
   * longer in use. `onChange(state)` is called when another page has changed the ring.
   */
  static async open({ remember, site, schemes, onChange }) {
    const keys = new Keys();
    keys.#ring = await openRing({ remember });
    keys.#site = site;
    keys.#schemes = schemes;
    keys.#onChange = onChange;
    if (keys.#ring.storage === 'kept') keys.#listen();
    await keys.#usePresets();
    return keys;
  }

  /** The key in use, or null. */
  secret(kind) {
    return this.#held.get(kind)?.secret ?? null;
  }

  /** The key in use. Fails if there is none. */
  needed(kind) {
    const secret = this.secret(kind);
    if (secret) return secret;
    throw new SafelightError('foreign_key', 'there is no key in use; create one, or open your key file');
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
  async add(kind, secret, { name, exported = false }) {
    const { fingerprint, bits, set } = secret;
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
      this.#hold(this.#schemes.get(facts.kind).restore(bytes, facts), facts);
    } finally {
      bytes.fill(0);
    }
    await this.#ring.choose(this.#preset(facts.kind), fingerprint);
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
    for (const kind of this.#schemes.keys()) this.#release(kind);
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
      await this.#ring.choose(this.#preset(facts.kind), facts.fingerprint);
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
    for (const kind of this.#schemes.keys()) {
      const preset = this.#held.has(kind) ? null : await this.#ring.choice(this.#preset(kind));
      if (preset) await this.use(preset).catch(() => {}); // gone or locked: no key is in use, and the page says so
    }
  }

  /** The name under which the ring stores the site's choice of default key for this kind. */
  #preset(kind) {
    return this.#schemes.get(kind).presetOf(this.#site);
  }

  /** The kind of the key in use with this fingerprint. */
  #kindOf(fingerprint) {
    return [...this.#schemes.keys()].find((kind) => this.#held.get(kind)?.facts.fingerprint === fingerprint);
  }

  #hold(secret, facts) {
    this.#release(facts.kind);
    this.#held.set(facts.kind, { secret, facts });
  }

  #release(kind) {
    const held = this.#held.get(kind);
    if (!held) return;
    this.#schemes.get(kind).forget();
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
      if (cleared) for (const kind of this.#schemes.keys()) this.#release(kind);
      this.#onChange(await this.state());
    };
  }
}

function tidy(name = '') {
  if (typeof name !== 'string') throw new SafelightError('bad_argument', 'the name of a key must be a string');
  return name.trim().slice(0, MOST_LETTERS);
}
