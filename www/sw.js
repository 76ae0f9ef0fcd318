// The vault's service worker: after the first visit the vault starts without a network. It keeps the vault's own files,
// and nothing else passes through it.
//
// Built with the page: the list of files, and a name that changes with them. A new version is fetched whole before it
// takes over, and that is when no page uses the old one, so that files of two versions never meet.

const VERSION = 'development';
const FILES = [];

const CACHE = `safelight-${VERSION}`;
const here = (file) => new URL(file, self.registration.scope).href;

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      // "no-cache" asks whether the browser's copy is still right, and takes it then.
      await cache.addAll(FILES.map((file) => new Request(here(file), { cache: 'no-cache' })));
    })(),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

// The vault tells which build of the WebAssembly module works here: only that one is kept.
self.addEventListener('message', (event) => {
  const { keep } = event.data ?? {};
  if (typeof keep !== 'string' || !keep.startsWith(here('client/pkg/'))) return;
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      if (!(await cache.match(keep))) await cache.add(new Request(keep, { cache: 'force-cache' }));
    })(),
  );
});

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method !== 'GET' || FILES.length === 0 || !url.startsWith(self.registration.scope)) return;
  event.respondWith(
    caches.open(CACHE).then(async (cache) => (await cache.match(url, { ignoreSearch: true })) ?? fetch(event.request)),
  );
});
