// The keys that the keeper has: the ring, and of each kind the one key in use, which alone is in memory.

import { SecretKey } from './pkg/safelight.js';
import { SafelightError } from '../shared/errors.js';
import { openRing } from './ring.js';

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
    for (const kind of KINDS) {
      const preset = await keys.#ring.choice(keys.#whose(kind));
      if (preset) await keys.use(preset).catch(() => {}); // it is gone: there is no key in use, as the page will say
    }
    return keys;
  }

  /** The key in use: a SecretKey, or a KeyFile. */
  secret(kind = 'paillier') {
    return this.#held.get(kind)?.secret ?? null;
  }

  /** What the page shows: all keys, those in use by kind, and whether this browser keeps them. */
  async state() {
    const list = await this.#ring.list().catch(() => []);
    const used = {};
    for (const [kind, held] of this.#held) {
      const kept = list.find(({ fingerprint }) => fingerprint === held.facts.fingerprint);
      // The user may have cleared what this browser stores: then the key is here, and nowhere else.
      held.facts = kept ?? { ...held.facts, stored: false };
      if (!kept) list.push(held.facts);
      used[kind] = held.facts;
    }
    return { list, used, storage: this.#ring.storage };
  }

  /** A new key, or one from a file, which is then in use. */
  async add(secret, { name, exported = false }) {
    const { kind = 'paillier', fingerprint, bits, set } = secret;
    const known = (await this.#ring.list()).find((other) => other.fingerprint === fingerprint);
    const facts = { fingerprint, kind, bits, name: tidy(name) || known?.name || '' };
    if (set) facts.set = set;
    facts.created = known?.created ?? Date.now();
    facts.exported = exported || (known?.exported ?? false);
    const bytes = secret.toBytes();
    try {
      await this.#ring.put(facts, bytes);
      await this.#ring.choose(this.#whose(kind), fingerprint);
    } catch {
      // It cannot be stored (the disk is full, say): it is used all the same, and the page says that it is not kept.
    } finally {
      bytes.fill(0);
    }
    this.#hold(secret, { ...facts, stored: false });
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
    return this.#changed(fingerprint);
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
  #changed(deleted = null) {
    this.#news?.postMessage({ deleted });
    return this.state();
  }

  #listen() {
    this.#news = new BroadcastChannel('safelight-ring');
    this.#news.onmessage = async ({ data: { deleted } }) => {
      if (deleted) this.#release(this.#kindOf(deleted));
      this.#hooks.onChange(await this.state());
    };
  }
}

function tidy(name = '') {
  if (typeof name !== 'string') throw new SafelightError('bad_argument', 'the name of a key is a text');
  return name.trim().slice(0, MOST_LETTERS);
}
