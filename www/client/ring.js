// The key ring: secret keys stored in this browser, in IndexedDB. The browser has a separate ring for each site that embeds
// the vault.
//
// A ring with a lock (lock.js) encrypts each key file and each name under its ring key, which is in memory only while the
// ring is unlocked. A ring without a lock encrypts key files under an AES key stored beside them. Scripts cannot read that
// key, but browsers write it into the same files: anyone with a copy of these files can decrypt the keys.

import { SafelightError } from '../shared/errors.js';
import { openBase, transact } from './database.js';
import { bareOnce, rememberBare } from './exposed.js';
import { seal, unseal } from './lock.js';

const NAME = 'safelight';
const MUTEX = 'safelight-ring';
const WRAP = { name: 'AES-GCM', length: 256 };

// A record: { fingerprint, kind, name, bits, created, exported, exposed, sealed }, where `exposed` says that the key has been
// stored without a lock. Under a lock, it also has the lock's id in `lock`, and an encrypted `title` in place of `name`.
// `wrap` holds the lock as 'lock' or, without one, the AES key as 'aes'; `choice` holds the fingerprint of each site's default
// key of each kind.
const STORES = ['keys', 'wrap', 'choice'];

/** The storage facts of a key that is not stored. */
export const IN_MEMORY = { stored: false, protected: false, exposed: false };

/**
 * Opens this browser's ring. If the browser stores nothing, opens one that lasts as long as the page. With
 * `remember: 'protected'`, nothing is stored until the user has chosen a protection; with `true`, keys are stored without a
 * lock until then. With `'refused'`, the page already knows that nothing it stores lasts.
 */
export async function openRing({ remember }) {
  if (!remember) return new MemoryRing();
  if (remember === 'refused') return new MemoryRing('refused');
  try {
    return await StoredRing.open(remember === 'protected' ? null : 'none');
  } catch {
    return new MemoryRing('refused');
  }
}

/** A ring in memory, for browsers that refuse to store keys. */
class MemoryRing {
  #records = new Map();
  #choices = new Map();

  constructor(storage = 'memory') {
    this.storage = storage; // "refused": the browser does not store keys; "memory": it was not asked to
  }

  async list() {
    return [...this.#records.values()].map(({ bytes: _, ...facts }) => ({ ...facts, ...IN_MEMORY }));
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
    for (const whose of this.chosenBy(fingerprint)) this.#choices.delete(whose);
  }

  has(fingerprint) {
    return this.#records.has(fingerprint);
  }

  /** The names under which a key was chosen as the default. */
  chosenBy(fingerprint) {
    return [...this.#choices].filter(([, chosen]) => chosen === fingerprint).map(([whose]) => whose);
  }

  async choice(whose) {
    return this.#choices.get(whose);
  }

  async choose(whose, fingerprint) {
    this.#choices.set(whose, fingerprint);
  }

  async protection() {
    return { protection: null, locked: false };
  }

  async lock() {
    return null;
  }

  async protect() {
    throw new SafelightError('bad_argument', 'keys are in memory only: there is nothing stored to protect');
  }

  async unlock() {}

  async settle() {}

  relock() {}

  async clear() {
    for (const fingerprint of [...this.#records.keys()]) await this.remove(fingerprint);
  }
}

class StoredRing {
  storage = 'kept';
  #base;
  #first; // the initial protection: "none", or null if keys wait for the user's choice
  #preset; // the protection while nothing is stored
  #open = null; // the ring key, `{ id, key }`, if the ring has a lock and is unlocked
  #waiting = new MemoryRing(); // keys that wait for a protection to be chosen, or for the ring to be unlocked

  static async open(preset) {
    const ring = new StoredRing();
    ring.#first = ring.#preset = preset;
    ring.#base = await opened();
    await ring.#look(); // fails if nothing can be stored
    return ring;
  }

  /** All keys. The names of protected ones are known only while the ring is unlocked. */
  async list() {
    const [records, bare] = await Promise.all([this.#all(), bareOnce()]);
    const facts = records.map(async (record) => {
      const { sealed: _, title: __, lock, ...open } = record;
      const name = await this.#name(record);
      // Records of earlier versions have no kind, since there was only one, and all of them are exposed.
      const facts = { ...open, name, stored: true, protected: Boolean(lock) };
      return { kind: 'paillier', ...facts, exposed: isExposed(record) || bare.has(record.fingerprint) };
    });
    const kept = await this.#waiting.list();
    const waiting = kept.map((key) => ({ ...key, waits: true, exposed: bare.has(key.fingerprint) }));
    const others = (await Promise.all(facts)).filter(({ fingerprint }) => !this.#waiting.has(fingerprint));
    return [...others, ...waiting].sort((a, b) => a.created - b.created);
  }

  /** Stores a key. While no protection has been chosen or the ring is locked, the key waits in memory. */
  async put(facts, bytes) {
    const { protection, locked: closed } = await this.protection();
    if (protection === null || closed) return this.#waiting.put(facts, bytes);
    await locked(async () => {
      const { fingerprint } = facts;
      const known = await this.#get(fingerprint);
      const exposed = Boolean(known && isExposed(known)) || (await bareOnce()).has(fingerprint);
      const record = await sealed(await this.#sealer(), { ...facts, exposed }, bytes);
      await this.#do(['keys'], 'readwrite', ({ keys }) => keys.put(record));
    });
  }

  async take(fingerprint) {
    if (this.#waiting.has(fingerprint)) return this.#waiting.take(fingerprint);
    return this.#bytes(needed(await this.#get(fingerprint)));
  }

  async change(fingerprint, { name, ...changes }) {
    if (this.#waiting.has(fingerprint)) {
      return this.#waiting.change(fingerprint, name === undefined ? changes : { name, ...changes });
    }
    await locked(async () => {
      const record = { ...needed(await this.#get(fingerprint)), ...changes };
      if (name !== undefined && record.lock) record.title = await sealedName(this.#ringKey(record.lock), fingerprint, name);
      else if (name !== undefined) record.name = name;
      await this.#do(['keys'], 'readwrite', ({ keys }) => keys.put(record));
    });
  }

  /**
   * Deletes a key: overwrites its record, then removes it. Databases may keep older records in their files for a while.
   * With a lock, reading those takes the passphrase or passkey. Without one, the other keys are re-encrypted under a new AES
   * key, and the old AES key is removed too.
   */
  async remove(fingerprint) {
    await this.#waiting.remove(fingerprint);
    await locked(async () => {
      const { way } = await this.#look();
      const records = await this.#all();
      const others = records.filter((record) => record.fingerprint !== fingerprint);
      const aes = way === 'none' ? await newAes() : null;
      const anew = aes ? await this.#movedAll(others, { key: aes }) : [];
      const leaving = records.filter((record) => !others.includes(record));
      await rememberBare(leaving.filter(isExposed));
      const gone = leaving.map(emptied);
      await this.#do(['keys'], 'readwrite', ({ keys }) => gone.map((record) => keys.put(record)));
      await this.#do(STORES, 'readwrite', ({ keys, wrap, choice }) => {
        choice.openCursor().onsuccess = ({ target: { result: cursor } }) => {
          if (!cursor) return;
          if (cursor.value === fingerprint) cursor.delete();
          cursor.continue();
        };
        keys.delete(fingerprint);
        if (!aes) return [];
        for (const record of anew) keys.put(record);
        return [wrap.put(aes, 'aes')];
      });
    });
  }

  /** The fingerprint of a site's default key. */
  async choice(whose) {
    const waits = await this.#waiting.choice(whose);
    return waits ?? this.#do(['choice'], 'readonly', ({ choice }) => choice.get(whose));
  }

  async choose(whose, fingerprint) {
    if (this.#waiting.has(fingerprint)) return this.#waiting.choose(whose, fingerprint);
    await this.#waiting.choose(whose, undefined);
    await this.#do(['choice'], 'readwrite', ({ choice }) => choice.put(fingerprint, whose));
  }

  // ---- the lock

  /** `protection`: "passphrase", "passkey", "none", or null if not chosen yet; `locked`: whether keys must be unlocked. */
  async protection() {
    const { way, lock } = await this.#look();
    return { protection: way, locked: Boolean(lock) && this.#open?.id !== lock.id };
  }

  /** The lock as stored; null if there is none. */
  async lock() {
    return (await this.#look()).lock ?? null;
  }

  /** Re-encrypts all keys under the ring key of this lock or, for null, without a lock. */
  async protect(lock, ring) {
    await locked(async () => {
      const before = await this.#look();
      if (before.lock) this.#ringKey(before.lock.id);
      const aes = lock ? null : await newAes();
      const records = await this.#movedAll(await this.#all(), ring ?? { key: aes });
      await this.#do(['keys', 'wrap'], 'readwrite', ({ keys, wrap }) => {
        for (const record of records) keys.put(record);
        return [wrap.delete(lock ? 'aes' : 'lock'), lock ? wrap.put(lock, 'lock') : wrap.put(aes, 'aes')];
      });
      this.#open = lock ? ring : null;
      if (!lock) this.#preset = 'none';
      if (lock && before.aes) await this.#smear();
    });
    await this.#storeWaiting();
  }

  /** Unlocks the ring with its ring key. */
  async unlock(ring) {
    this.#open = ring;
    await this.#storeWaiting();
    await locked(async () => {
      // A page with an earlier version of the vault, which has no locks, may have stored something unprotected.
      const bare = (await this.#all()).filter(({ lock }) => !lock);
      if (bare.length === 0) return;
      const records = await this.#movedAll(bare, ring);
      await this.#do(['keys', 'wrap'], 'readwrite', ({ keys, wrap }) => {
        for (const record of records) keys.put(record);
        return [wrap.delete('aes')];
      });
      await this.#smear();
    });
  }

  /** Forgets the ring key. */
  relock() {
    this.#open = null;
  }

  /** Stores waiting keys if another page has chosen a protection. */
  async settle() {
    const { protection, locked: closed } = await this.protection();
    if (protection !== null && !closed) await this.#storeWaiting();
  }

  async #storeWaiting() {
    for (const { stored: _, protected: __, exposed: ___, ...facts } of await this.#waiting.list()) {
      await this.put(facts, await this.#waiting.take(facts.fingerprint));
      const choices = this.#waiting.chosenBy(facts.fingerprint);
      await this.#waiting.remove(facts.fingerprint);
      for (const whose of choices) await this.choose(whose, facts.fingerprint);
    }
  }

  /** Deletes everything: all keys, the lock, the choices. */
  async clear() {
    this.#waiting = new MemoryRing();
    await locked(async () => {
      const leaving = await this.#all();
      await rememberBare(leaving.filter(isExposed));
      const records = leaving.map(emptied);
      await this.#do(['keys'], 'readwrite', ({ keys }) => records.map((record) => keys.put(record)));
      await this.#do(STORES, 'readwrite', (stores) => STORES.map((name) => stores[name].clear()));
      await this.#smear();
      this.#open = null;
      this.#preset = this.#first;
    });
  }

  /** The stored protection: `{ way, lock, aes }`. */
  async #look() {
    const [lock, aes, count] = await this.#do(['keys', 'wrap'], 'readonly', ({ keys, wrap }) => [
      wrap.get('lock'),
      wrap.get('aes'),
      keys.count(),
    ]);
    // Earlier versions created an AES key before there was anything to encrypt: that was not the user's choice.
    return { lock, aes, way: lock?.way ?? (aes && count > 0 ? 'none' : this.#preset) };
  }

  /** The key for encrypting a new record. */
  async #sealer() {
    const { lock, aes } = await this.#look();
    return lock ? this.#ringKey(lock.id) : { key: aes ?? (await this.#firstAes()) };
  }

  #ringKey(id) {
    if (this.#open?.id === id) return this.#open;
    throw new SafelightError('locked', 'the stored keys are locked; unlock them first');
  }

  /** The AES key of a ring without a lock. */
  async #firstAes() {
    const made = await newAes();
    await this.#do(['wrap'], 'readwrite', ({ wrap }) => wrap.put(made, 'aes'));
    return made;
  }

  /** The key file in a record. */
  async #bytes(record) {
    const key = record.lock ? this.#ringKey(record.lock).key : (await this.#look()).aes;
    try {
      return await unseal(key, record.fingerprint, record.sealed);
    } catch {
      throw new SafelightError('damaged', 'the stored key is damaged; import it from your key file');
    }
  }

  async #name({ fingerprint, lock, name, title }) {
    if (!lock) return name;
    if (this.#open?.id !== lock) return '';
    const open = await unseal(this.#open.key, nameOf(fingerprint), title).catch(() => new Uint8Array());
    return new TextDecoder().decode(open);
  }

  /** A record, re-encrypted for another ring key. */
  async #moved(record, ring) {
    const bytes = await this.#bytes(record);
    const { sealed: _, title: __, lock: ___, ...facts } = record;
    try {
      return await sealed(ring, { ...facts, exposed: isExposed(record), name: await this.#name(record) }, bytes);
    } finally {
      bytes.fill(0);
    }
  }

  /** Moves all records that are not damaged. */
  async #movedAll(records, ring) {
    const moved = [];
    for (const record of records) {
      try {
        moved.push(await this.#moved(record, ring));
      } catch (error) {
        if (error.code !== 'damaged') throw error;
      }
    }
    return moved;
  }

  /** Overwrites the AES key. Whether its bytes are then gone depends on the database. */
  async #smear() {
    const other = await newAes();
    await this.#do(['wrap'], 'readwrite', ({ wrap }) => wrap.put(other, 'aes'));
    await this.#do(['wrap'], 'readwrite', ({ wrap }) => wrap.delete('aes'));
  }

  #all() {
    return this.#do(['keys'], 'readonly', ({ keys }) => keys.getAll());
  }

  #get(fingerprint) {
    return this.#do(['keys'], 'readonly', ({ keys }) => keys.get(fingerprint));
  }

  /** Runs a transaction; returns the results of the requests that `work` returns, once everything is on disk. */
  async #do(names, mode, work) {
    try {
      return await transact(this.#base, names, mode, work);
    } catch (error) {
      if (error?.name !== 'InvalidStateError') throw error;
      this.#base = await opened(); // the browser closed it: the user cleared site data
      return transact(this.#base, names, mode, work);
    }
  }
}

function opened() {
  return openBase(NAME, (base) => {
    base.createObjectStore('keys', { keyPath: 'fingerprint' });
    for (const name of STORES.slice(1)) base.createObjectStore(name);
  });
}

/** A record. The first argument is a ring key or, without an `id`, the AES key of a ring without a lock. */
async function sealed({ id, key }, { name, ...facts }, bytes) {
  const { fingerprint } = facts;
  const record = { ...facts, sealed: await seal(key, fingerprint, bytes) };
  if (!id) return { ...record, name, exposed: true };
  return { ...record, lock: id, title: await sealedName({ key }, fingerprint, name) };
}

/** Whether the key has been stored without a lock. Records of earlier versions do not say so: all of them have been. */
const isExposed = ({ exposed = true }) => exposed;

const sealedName = ({ key }, fingerprint, name) => seal(key, nameOf(fingerprint), new TextEncoder().encode(name));

const nameOf = (fingerprint) => `name of ${fingerprint}`;

/** An emptied record of the same length. */
function emptied(record) {
  const { sealed: { iv, data } } = record;
  return { ...record, name: '', title: null, sealed: { iv: iv.map(() => 0), data: new ArrayBuffer(data.byteLength) } };
}

const newAes = () => crypto.subtle.generateKey(WRAP, false, ['encrypt', 'decrypt']);

const locked = (work) => navigator.locks.request(MUTEX, work);

function needed(record) {
  if (!record) throw new SafelightError('foreign_key', 'this key is no longer stored here; import it from your key file');
  return record;
}
