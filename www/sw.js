// The vault's service worker: after the first visit, the vault can start offline. It caches the vault's own files and handles
// nothing else.
//
// The build fills in the list of files, and a version name that changes with them. A new version is fetched completely and
// takes over only when no page uses the old one, so files of two versions never mix.
//
// The headers must be the server's current ones, because they say who may embed the vault and what it may do. So requests
// for pages and workers go to the network first. The stored copy and its headers are used only if no server answers. There
// is no timeout: otherwise, anyone who slows the network down could choose the policy.

const VERSION = 'development';
const FILES = [];

const CACHE = `safelight-${VERSION}`;
const PAGES = ['document', 'iframe', 'frame'];
const WORKERS = ['worker', 'sharedworker']; // and everything that a worker imports, which has no policy of its own
const POLICED = /^$|(keeper|compute)\.js$/; // the files loaded as one of these
const MODULES = ['client/pkg/', 'client/remote/pkg/']; // whose WebAssembly a photo needs on its way
const POLICY = 'Content-Security-Policy';
const OWN_POLICY = 'Safelight-Own-Policy'; // the policy that the file of this version came with, if others were added to it
const here = (file) => new URL(file, self.registration.scope).href;

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      // "no-cache" revalidates the browser's copy. That is not enough where the headers matter: if the file has not changed
      // (304), a browser may keep its old policy.
      const fresh = (file) => new Request(here(file), { cache: POLICED.test(file) ? 'reload' : 'no-cache' });
      await cache.addAll(FILES.map(fresh));
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

// The vault reports which build of the WebAssembly module works here: only that one is cached.
self.addEventListener('message', (event) => {
  const { keep } = event.data ?? {};
  if (typeof keep !== 'string' || !MODULES.some((folder) => keep.startsWith(here(folder)))) return;
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      if (!(await cache.match(keep))) await cache.add(new Request(keep, { cache: 'force-cache' }));
    })(),
  );
});

self.addEventListener('fetch', (event) => {
  const { method, url, mode, destination } = event.request;
  if (method !== 'GET' || FILES.length === 0 || !url.startsWith(self.registration.scope)) return;
  const page = mode === 'navigate' || PAGES.includes(destination);
  const policy = page || (WORKERS.includes(destination) && POLICED.test(new URL(url).pathname));
  event.respondWith(policy ? withPolicy(url) : stored(url).then((copy) => copy ?? fetch(event.request)));
});

/** The stored copy of exactly this address. Otherwise, a site could alter the address so that no server answers. */
async function stored(url) {
  return (await caches.open(CACHE)).match(url.split('#')[0]);
}

/** The server's current headers with this version's file: scripts and pages of two versions must not mix. */
async function withPolicy(url) {
  const copy = await stored(url);
  let answer;
  try {
    // Bypasses the browser's cache in both directions.
    answer = await fetch(url, { cache: 'no-store', redirect: 'manual' });
  } catch (offline) {
    if (copy) return copy;
    throw offline;
  }
  if (!answer.ok || !copy) return answer;
  const [now, then] = await Promise.all([answer.clone().text(), copy.clone().text()]);
  if (now === then) {
    await (await caches.open(CACHE)).put(url.split('#')[0], answer.clone());
    return answer;
  }
  const merged = new Response(then, { headers: both(copy.headers, answer.headers) });
  await (await caches.open(CACHE)).put(url.split('#')[0], merged.clone());
  return merged;
}

/**
 * The headers if the server has another version, or another page altogether. All current headers apply, except those that
 * describe the file. Both policies apply, so that neither weakens the other.
 */
function both(then, now) {
  const headers = new Headers(now);
  for (const name of ['Content-Length', 'Content-Encoding', 'Vary']) headers.delete(name);
  headers.set('Content-Type', then.get('Content-Type'));
  // The stored copy may already have had another policy added.
  const own = then.get(OWN_POLICY) ?? then.get(POLICY) ?? '';
  if (own) headers.append(POLICY, own);
  headers.set(OWN_POLICY, own);
  return headers;
}
