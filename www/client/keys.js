// The keys that the keeper has: the ring, and the one key in use, which alone is in memory.

import { SecretKey } from './pkg/safelight.js';
import { SafelightError } from '../shared/errors.js';
import { openRing } from './ring.js';

const MOST_LETTERS = 60; // of a name

export class Keys {
  #ring;
  #site;
  #hooks;
  #news = null;
  secret = null; // the SecretKey in use
  current = null; // its facts: fingerprint, bits, name, created, exported, stored

  /**
   * Opens the ring. `site` is whose default key is used. `onGone` is called when the key in use is no longer that: what runs
   * with it must not go on. `onChange(state)` is called when another page has changed the ring.
   */
  static async open({ remember, site, onGone, onChange }) {
    const keys = new Keys();
    keys.#ring = await openRing({ remember });
    keys.#site = site;
    keys.#hooks = { onGone, onChange };
    if (keys.#ring.storage === 'kept') keys.#listen();
    const preset = await keys.#ring.choice(site);
    if (preset) await keys.use(preset).catch(() => {}); // it is gone: there is no key in use, as the page will say
    return keys;
  }

  /** What the page shows: all keys, the one in use, and whether this browser keeps them. */
  async state() {
    const list = await this.#ring.list().catch(() => []);
    if (this.current) {
      const kept = list.find(({ fingerprint }) => fingerprint === this.current.fingerprint);
      // The user may have cleared what this browser stores: then the key is here, and nowhere else.
      this.current = kept ?? { ...this.current, stored: false };
      if (!kept) list.push(this.current);
    }
    return { list, current: this.current, storage: this.#ring.storage };
  }

  /** A new key, or one from a file, which is then in use. */
  async add(secret, { name, exported = false }) {
    const { fingerprint, bits } = secret;
    const known = (await this.#ring.list()).find((other) => other.fingerprint === fingerprint);
    const facts = { fingerprint, bits, name: tidy(name) || known?.name || '', created: known?.created ?? Date.now() };
    facts.exported = exported || (known?.exported ?? false);
    const bytes = secret.toBytes();
    try {
      await this.#ring.put(facts, bytes);
      await this.#ring.choose(this.#site, fingerprint);
    } catch {
      // It cannot be stored (the disk is full, say): it is used all the same, and the page says that it is not kept.
    } finally {
      bytes.fill(0);
    }
    this.#hold(secret, { ...facts, stored: false });
    return this.#changed();
  }

  async use(fingerprint) {
    if (this.current?.fingerprint === fingerprint) return this.state();
    const bytes = await this.#ring.take(fingerprint);
    let secret;
    try {
      secret = SecretKey.fromBytes(bytes);
    } finally {
      bytes.fill(0);
    }
    this.#hold(secret, (await this.#ring.list()).find((key) => key.fingerprint === fingerprint));
    await this.#ring.choose(this.#site, fingerprint);
    return this.state();
  }

  /** No key is in use any more; the ring keeps it. */
  drop() {
    this.#release();
    return this.state();
  }

  async change(fingerprint, { name, exported }) {
    const changes = {};
    if (name !== undefined) changes.name = tidy(name);
    if (exported !== undefined) changes.exported = exported;
    if (this.current?.fingerprint === fingerprint) Object.assign(this.current, changes);
    try {
      await this.#ring.change(fingerprint, changes);
    } catch (error) {
      if (this.current?.fingerprint !== fingerprint) throw error; // else it lives in memory only
    }
    return this.#changed();
  }

  async remove(fingerprint) {
    if (this.current?.fingerprint === fingerprint) this.#release();
    await this.#ring.remove(fingerprint);
    return this.#changed(fingerprint);
  }

  #hold(secret, facts) {
    this.#release();
    this.secret = secret;
    this.current = facts;
  }

  #release() {
    if (this.secret) this.#hooks.onGone();
    this.secret?.free();
    this.secret = null;
    this.current = null;
  }

  /** Tells the site's other pages. */
  #changed(deleted = null) {
    this.#news?.postMessage({ deleted });
    return this.state();
  }

  #listen() {
    this.#news = new BroadcastChannel('safelight-ring');
    this.#news.onmessage = async ({ data: { deleted } }) => {
      if (deleted && this.current?.fingerprint === deleted) this.#release();
      this.#hooks.onChange(await this.state());
    };
  }
}

function tidy(name = '') {
  if (typeof name !== 'string') throw new SafelightError('bad_argument', 'the name of a key is a text');
  return name.trim().slice(0, MOST_LETTERS);
}
