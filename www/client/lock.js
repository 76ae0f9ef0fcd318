// The lock of the key ring. One random key, the ring key, encrypts all stored keys. The browser stores it only encrypted:
// as an age file under a passphrase, or under a key derived from a passkey's secret. Without the passphrase or passkey,
// nothing in the browser's files decrypts a stored key.
//
// A lock: { way: 'passphrase', id, file } or { way: 'passkey', id, credential, salt, sealed: { iv, data } }.

import { SafelightError } from '../shared/errors.js';

const AES = 'AES-GCM';
const LENGTH = 32; // bytes of the ring key, and of a passkey's secret
const DERIVED_FOR = 'safelight key ring, version 1';

const encode = (text) => new TextEncoder().encode(text);
const random = (length) => crypto.getRandomValues(new Uint8Array(length));

/** Encrypts `bytes` under an AES key. Decryption requires the same `label`. */
export async function seal(key, label, bytes) {
  const iv = random(12);
  const data = await crypto.subtle.encrypt({ name: AES, iv, additionalData: encode(label) }, key, bytes);
  return { iv, data };
}

/** Decrypts the output of `seal`. Fails with a `DOMException` if it is damaged or belongs to another key. */
export async function unseal(key, label, { iv, data }) {
  return new Uint8Array(await crypto.subtle.decrypt({ name: AES, iv, additionalData: encode(label) }, key, data));
}

/**
 * Creates a lock and its ring key. `by` is `{ passphrase }` or `{ passkey: { credential, salt, secret } }`.
 * `protect(bytes, passphrase)` creates an age file.
 */
export async function newLock({ passphrase, passkey }, protect) {
  const id = crypto.randomUUID();
  const bytes = random(LENGTH);
  try {
    const ring = await ringKey(id, bytes);
    if (passphrase) return { lock: { way: 'passphrase', id, file: await protect(bytes.slice(), passphrase) }, ring };
    const { credential, salt, secret } = passkey;
    const sealed = await seal(await derived(secret, salt), id, bytes);
    return { lock: { way: 'passkey', id, credential, salt, sealed }, ring };
  } finally {
    bytes.fill(0);
  }
}

/**
 * The ring key of a lock. `by` is `{ passphrase }` or `{ secret }`; `unprotect(file, passphrase)` opens an age file.
 * Fails with `wrong_passphrase`, `wrong_passkey`, or a code for the damage.
 */
export async function openLock(lock, { passphrase, secret }, unprotect) {
  const bytes = lock.way === 'passphrase' ? await unwrapped(lock, passphrase, unprotect) : await unwrappedBy(lock, secret);
  try {
    return await ringKey(lock.id, bytes);
  } finally {
    bytes.fill(0);
  }
}

async function unwrapped({ file }, passphrase, unprotect) {
  if (typeof passphrase !== 'string') throw wrongWay('a passphrase');
  try {
    return await unprotect(file, passphrase);
  } catch (error) {
    if (error.code !== 'wrong_passphrase') throw error;
    throw new SafelightError('wrong_passphrase', 'the passphrase does not unlock the keys; enter it again');
  }
}

async function unwrappedBy({ id, salt, sealed }, secret) {
  if (!secret) throw wrongWay('a passkey');
  try {
    return await unseal(await derived(secret, salt), id, sealed);
  } catch {
    throw new SafelightError('wrong_passkey', 'the passkey does not unlock the keys; choose the one that protects them');
  }
}

const wrongWay = (what) => new SafelightError('bad_argument', `the stored keys are protected by ${what}; provide it`);

async function ringKey(id, bytes) {
  return { id, key: await crypto.subtle.importKey('raw', bytes, AES, false, ['encrypt', 'decrypt']) };
}

/** The AES key derived from a passkey's secret. */
async function derived(secret, salt) {
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt, info: encode(DERIVED_FOR) };
  return crypto.subtle.deriveKey(how, base, { name: AES, length: 256 }, false, ['encrypt', 'decrypt']);
}
