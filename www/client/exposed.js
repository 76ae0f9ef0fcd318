// Remembers which keys this browser has ever stored without a lock. Old copies may remain in the browser's files after a key
// is deleted. If the same key is opened again from its key file, the vault must still say that it was exposed. The list has
// its own database, so it outlives the ring's records. It contains nothing but fingerprints.

import { openBase, transact } from './database.js';

const NAME = 'safelight-exposed';
const STORE = 'fingerprints';

/** The fingerprints of deleted keys that were stored without a lock. If the list cannot be read, any key may be one. */
export async function bareOnce() {
  const read = inStore('readonly', (store) => store.getAllKeys());
  return read.then((fingerprints) => new Set(fingerprints), () => ({ has: () => true }));
}

/** Call this before deleting these records. */
export async function rememberBare(records) {
  if (records.length === 0) return;
  // Deleting must succeed even if nothing more can be written.
  await inStore('readwrite', (store) => records.map(({ fingerprint }) => store.put(true, fingerprint))).catch(() => {});
}

async function inStore(mode, work) {
  const base = await openBase(NAME, (made) => made.createObjectStore(STORE));
  try {
    return await transact(base, [STORE], mode, (stores) => work(stores[STORE]));
  } finally {
    base.close();
  }
}
