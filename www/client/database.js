// IndexedDB with promises, for data stored in this browser.

/** Opens version 1 of a database. If it does not exist yet, `create` adds its stores. */
export function openBase(name, create) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => create(request.result);
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
}

/** Runs a transaction; returns the results of the requests that `work(stores)` returns, once everything is on disk. */
export function transact(base, names, mode, work) {
  return new Promise((resolve, reject) => {
    const transaction = base.transaction(names, mode, { durability: 'strict' });
    const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
    const requests = work(stores);
    const results = () => (Array.isArray(requests) ? requests.map(({ result }) => result) : requests.result);
    transaction.oncomplete = () => resolve(results());
    transaction.onabort = () => reject(transaction.error ?? [requests].flat().find(({ error }) => error)?.error);
  });
}
