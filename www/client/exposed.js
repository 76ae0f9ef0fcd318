// Which keys this browser has ever stored without a lock. Old copies may lie in its files even after a key was deleted, and if
// its file is opened again, the vault must still say so. The list outlives the records of the ring, in a database of its own,
// and holds nothing but fingerprints.

import { openBase, transact } from './database.js';

const NAME = 'safelight-exposed';
const STORE = 'fingerprints';

/** The fingerprints of deleted keys that were stored without a lock. Where nobody can tell, it may have been any. */
export async function bareOnce() {
  const read = inStore('readonly', (store) => store.getAllKeys());
  return read.then((fingerprints) => new Set(fingerprints), () => ({ has: () => true }));
}

/** To be called before these records are deleted. */
export async function rememberBare(records) {
  if (records.length === 0) return;
  // Deleting must not fail where nothing more can be written.
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
