// Which keys this browser has ever stored without a lock. Old copies may lie in its files even after a key was deleted, and if
// its file is opened again, the vault must still say so. The list outlives the records of the ring, in a database of its own,
// and holds nothing but fingerprints.

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
  await inStore('readwrite', (store) => records.map(({ fingerprint }) => store.put(true, fingerprint)).at(-1)).catch(() => {});
}

async function inStore(mode, work) {
  const base = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = base.transaction(STORE, mode, { durability: 'strict' });
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
  } finally {
    base.close();
  }
}

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
