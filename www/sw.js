// The vault's service worker: after the first visit the vault starts without a network. It keeps the vault's own files,
// and nothing else passes through it.
//
// Built with the page: the list of files, and a name that changes with them. A new version is fetched whole before it
// takes over, and that is when no page uses the old one, so that files of two versions never meet.
//
// The headers are the server's of today: who may embed the vault, and what it may do, is said by them. So whatever
// becomes a page or a worker asks the network first. The stored copy is used with the stored headers only where no
// server answers; an answer that comes late is waited for, or else whoever slows the network down would choose the policy.

const VERSION = 'development';
const FILES = [];

const CACHE = `safelight-${VERSION}`;
const PAGES = ['document', 'iframe', 'frame'];
const WORKERS = ['worker', 'sharedworker']; // and all that a worker imports, which has no policy of its own
const POLICED = /^$|(keeper|compute)\.js$/; // the files that become one of these
const POLICY = 'Content-Security-Policy';
const OWN_POLICY = 'Safelight-Own-Policy'; // the policy that the file of this version came with, where others were added to it
const here = (file) => new URL(file, self.registration.scope).href;

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      // "no-cache" asks whether the browser's copy is still right, and takes it then. It is not right where the headers count:
      // a browser that hears that a file has not changed may keep the policy of before.
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
  const { method, url, mode, destination } = event.request;
  if (method !== 'GET' || FILES.length === 0 || !url.startsWith(self.registration.scope)) return;
  const page = mode === 'navigate' || PAGES.includes(destination);
  const policy = page || (WORKERS.includes(destination) && POLICED.test(new URL(url).pathname));
  event.respondWith(policy ? withPolicy(url) : stored(url).then((copy) => copy ?? fetch(event.request)));
});

/** The stored copy of exactly this address: with anything else in it, a site could choose an address that no server answers. */
async function stored(url) {
  return (await caches.open(CACHE)).match(url.split('#')[0]);
}

/** The server's headers of now with the file of this version: scripts and pages of two versions must not meet. */
async function withPolicy(url) {
  const copy = await stored(url);
  let answer;
  try {
    // Neither from the browser's copies nor into them.
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
 * Another version, or another page altogether: all headers of now hold, except those that tell about the file. Both policies do,
 * so that neither of them takes the other's away.
 */
function both(then, now) {
  const headers = new Headers(now);
  for (const name of ['Content-Length', 'Content-Encoding', 'Vary']) headers.delete(name);
  headers.set('Content-Type', then.get('Content-Type'));
  // What is stored may have had another policy added before.
  const own = then.get(OWN_POLICY) ?? then.get(POLICY) ?? '';
  if (own) headers.append(POLICY, own);
  headers.set(OWN_POLICY, own);
  return headers;
}
