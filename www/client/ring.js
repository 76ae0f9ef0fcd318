// The key ring: secret keys at rest in this browser, in IndexedDB.
//
// Each key file is encrypted with AES-GCM under a key that the browser does not give out (not extractable), so that a
// copy of the disk's files is not enough. It is no protection against scripts that run on this origin. A browser keeps
// one ring for each site that embeds the vault.

import { SafelightError } from '../shared/errors.js';

const NAME = 'safelight';
const LOCK = 'safelight-ring';
const WRAP = { name: 'AES-GCM', length: 256 };

// A record: { fingerprint, kind, name, bits, created, exported, sealed: { iv, data } }. `wrap` holds the one AES key,
// `choice` the fingerprint of each site's default key, for each kind of keys.
const STORES = ['keys', 'wrap', 'choice'];

/** Opens the ring of this browser; where there is none to be had, one that lasts as long as the page. */
export async function openRing({ remember }) {
  if (!remember) return new MemoryRing();
  try {
    return await StoredRing.open();
  } catch {
    return new MemoryRing('refused');
  }
}

/** A ring in memory, for browsers that refuse to store anything. */
class MemoryRing {
  #records = new Map();
  #choices = new Map();

  constructor(storage = 'memory') {
    this.storage = storage; // "refused": the browser does not store; "memory": nobody asked it to
  }

  async list() {
    return [...this.#records.values()].map(({ bytes: _, ...facts }) => ({ ...facts, stored: false }));
  }

  async put(facts, bytes) {
    this.#records.set(facts.fingerprint, { ...facts, bytes: bytes.slice() });
  }

  async take(fingerprint) {
    return needed(this.#records.get(fingerprint)).bytes.slice();
  }

  async change(fingerprint, changes) {
    Object.assign(needed(this.#records.get(fingerprint)), changes);
  }

  async remove(fingerprint) {
    this.#records.get(fingerprint)?.bytes.fill(0);
    this.#records.delete(fingerprint);
  }

  async choice(whose) {
    return this.#choices.get(whose);
  }

  async choose(whose, fingerprint) {
    this.#choices.set(whose, fingerprint);
  }
}

class StoredRing {
  storage = 'kept';
  #base;

  static async open() {
    const ring = new StoredRing();
    ring.#base = await opened();
    await ring.#wrap(); // fails where keys cannot be stored, in some private windows
    return ring;
  }

  async list() {
    const records = await this.#do(['keys'], 'readonly', ({ keys }) => keys.getAll());
    return records
      .map(({ sealed: _, ...facts }) => ({ kind: 'paillier', ...facts, stored: true })) // the only kind, once
      .sort((a, b) => a.created - b.created);
  }

  async put(facts, bytes) {
    await locked(async () => {
      const sealed = await seal(await this.#wrap(), facts.fingerprint, bytes);
      await this.#do(['keys'], 'readwrite', ({ keys }) => keys.put({ ...facts, sealed }));
    });
  }

  async take(fingerprint) {
    const record = needed(await this.#do(['keys'], 'readonly', ({ keys }) => keys.get(fingerprint)));
    return unseal(await this.#wrap(), record);
  }

  async change(fingerprint, changes) {
    await locked(async () => {
      const record = needed(await this.#do(['keys'], 'readonly', ({ keys }) => keys.get(fingerprint)));
      await this.#do(['keys'], 'readwrite', ({ keys }) => keys.put({ ...record, ...changes }));
    });
  }

  /**
   * Deletes a key for good. Databases may keep deleted records in their files for a while; therefore the others are
   * encrypted anew under a new AES key, and the one that could open the deleted record is deleted, too.
   */
  async remove(fingerprint) {
    await locked(async () => {
      const old = await this.#wrap();
      const wrap = await crypto.subtle.generateKey(WRAP, false, ['encrypt', 'decrypt']);
      const records = await this.#do(['keys'], 'readonly', ({ keys }) => keys.getAll());
      const others = records.filter((record) => record.fingerprint !== fingerprint);
      for (const record of others) {
        const bytes = await unseal(old, record);
        record.sealed = await seal(wrap, record.fingerprint, bytes);
        bytes.fill(0);
      }
      await this.#do(['keys', 'wrap', 'choice'], 'readwrite', (stores) => {
        stores.keys.clear();
        for (const record of others) stores.keys.put(record);
        stores.choice.openCursor().onsuccess = ({ target: { result: cursor } }) => {
          if (!cursor) return;
          if (cursor.value === fingerprint) cursor.delete();
          cursor.continue();
        };
        return stores.wrap.put(wrap, 'aes');
      });
    });
  }

  /** The fingerprint of a site's default key. */
  choice(whose) {
    return this.#do(['choice'], 'readonly', ({ choice }) => choice.get(whose));
  }

  async choose(whose, fingerprint) {
    await this.#do(['choice'], 'readwrite', ({ choice }) => choice.put(fingerprint, whose));
  }

  /** The AES key, made when there is none. */
  async #wrap() {
    const found = await this.#do(['wrap'], 'readonly', ({ wrap }) => wrap.get('aes'));
    if (found) return found;
    const made = await crypto.subtle.generateKey(WRAP, false, ['encrypt', 'decrypt']);
    // Another page may have made one in the meantime: the first one stays.
    await this.#do(['wrap'], 'readwrite', ({ wrap }) => wrap.add(made, 'aes')).catch(() => {});
    return this.#do(['wrap'], 'readonly', ({ wrap }) => wrap.get('aes'));
  }

  /** One transaction; gives the result of the request that `work` returns, when everything is on the disk. */
  async #do(names, mode, work) {
    try {
      return await transact(this.#base, names, mode, work);
    } catch (error) {
      if (error?.name !== 'InvalidStateError') throw error;
      this.#base = await opened(); // the browser closed it: the user cleared what sites have stored
      return transact(this.#base, names, mode, work);
    }
  }
}

function transact(base, names, mode, work) {
  return new Promise((resolve, reject) => {
    const transaction = base.transaction(names, mode, { durability: 'strict' });
    const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
    const request = work(stores);
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('keys', { keyPath: 'fingerprint' });
      for (const name of STORES.slice(1)) request.result.createObjectStore(name);
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
}

async function seal(wrap, fingerprint, bytes) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const data = await crypto.subtle.encrypt({ ...WRAP, iv, additionalData: label(fingerprint) }, wrap, bytes);
  return { iv, data };
}

async function unseal(wrap, { fingerprint, sealed: { iv, data } }) {
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt({ ...WRAP, iv, additionalData: label(fingerprint) }, wrap, data),
    );
  } catch {
    throw new SafelightError('damaged', 'the stored key is damaged; import it from your key file');
  }
}

const label = (fingerprint) => new TextEncoder().encode(fingerprint);

const locked = (work) => navigator.locks.request(LOCK, work);

function needed(record) {
  if (!record) throw new SafelightError('foreign_key', 'this key is no longer stored here; import it from your key file');
  return record;
}
