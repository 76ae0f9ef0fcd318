// Simulates an attacker with a copy of a browser's profile folder, searching it for keys.

import { createDecipheriv } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const TAG = 16; // bytes of AES-GCM's tag
const PART = 16; // bytes of a secret that are searched for
const RANDOM = 20; // different bytes: nearly all random keys of 32 bytes have at least this number
// The paths of pages' databases in a profile.
const STORAGE = /[\\/]IndexedDB[\\/]|[\\/]storage[\\/]default[\\/].*[\\/]idb[\\/]/;

/** All files of a profile, `[path, bytes]`, with the contents of its databases. The browser must be closed. */
export function filesOf(profile) {
  const files = [];
  const walk = (folder) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const facts = statSync(path, { throwIfNoEntry: false }); // links may lead nowhere
      if (facts?.isDirectory()) walk(path);
      else if (facts?.isFile()) files.push([path.slice(profile.length), readFileSync(path)]);
    }
  };
  walk(profile);
  return files;
}

/** The contents of those files that belong to pages' databases. */
export const databases = (files) => files.filter(([path]) => STORAGE.test(path)).map(([, bytes]) => bytes);

/** The files of a profile that contain one of the texts, or a part of the secret file that is not in the public one. */
export function foundIn(files, { texts, file, isPublic }) {
  const needles = texts.flatMap((text) => ['utf8', 'utf16le', 'latin1'].map((encoding) => Buffer.from(text, encoding)));
  for (let at = 0; at + PART <= file.length; at += PART) {
    const part = file.subarray(at, at + PART);
    if (!isPublic.includes(part)) needles.push(part);
  }
  return files.filter(([, bytes]) => needles.some((needle) => bytes.includes(needle))).map(([path]) => path);
}

/**
 * Tries every place in `buffers` as the AES key of these records (`{ label, iv, data }`, as they are stored): browsers
 * write keys into their files, whether scripts may read them or not. Returns the opened records: `{ label, bytes }`.
 */
export function opened(records, buffers) {
  const found = new Map();
  for (const key of candidates(buffers)) {
    for (const { label, iv, data } of records) {
      const bytes = found.has(label) ? null : decrypt(key, label, iv, data);
      if (bytes) found.set(label, bytes);
    }
  }
  return [...found].map(([label, bytes]) => ({ label, bytes }));
}

/** Whether a record's encrypted bytes are still in one of the buffers. */
export const liesIn = ({ data }, buffers) => buffers.some((buffer) => buffer.includes(data.subarray(-64)));

function* candidates(buffers) {
  const seen = new Set();
  for (const buffer of buffers) {
    for (const length of [32, 16]) {
      for (let at = 0; at + length <= buffer.length; at++) {
        const key = buffer.subarray(at, at + length);
        if (new Set(key).size < (RANDOM * length) / 32) continue;
        const text = key.toString('latin1');
        if (seen.has(text)) continue;
        seen.add(text);
        yield key;
      }
    }
  }
}

function decrypt(key, label, iv, data) {
  const cipher = createDecipheriv(key.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm', key, iv);
  cipher.setAAD(Buffer.from(label)).setAuthTag(data.subarray(-TAG));
  try {
    return Buffer.concat([cipher.update(data.subarray(0, -TAG)), cipher.final()]);
  } catch {
    return null;
  }
}

/** Everything that the ring of a page or frame has stored: `{ keys, wrap }`, with bytes as lists of numbers. Runs there. */
export async function storedRing() {
  const plain = (value) => {
    if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
    if (ArrayBuffer.isView(value)) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
    if (value instanceof CryptoKey || typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
  };
  const base = await new Promise((resolve) => {
    indexedDB.open('safelight').onsuccess = ({ target }) => resolve(target.result);
  });
  const stored = {};
  for (const name of [...base.objectStoreNames]) {
    const store = base.transaction(name).objectStore(name);
    const [keys, values] = await Promise.all(
      [store.getAllKeys(), store.getAll()].map(
        (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result))),
      ),
    );
    stored[name] = Object.fromEntries(keys.map((key, i) => [key, plain(values[i])]));
  }
  base.close();
  return stored;
}

/** The records of a ring as `opened` takes them. */
export function recordsOf({ keys }) {
  return Object.values(keys).map(({ fingerprint, sealed: { iv, data } }) => ({
    label: fingerprint,
    iv: Buffer.from(iv),
    data: Buffer.from(data),
  }));
}
