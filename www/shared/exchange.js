// One HTTP exchange with a server. Browsers use XMLHttpRequest, because only it reports upload progress; service workers and
// Node have only fetch.

import { cancelled, checkSignal, SafelightError } from './errors.js';

// The requests that a vault may ask a site to make: those of the server's interface, and no others.
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'];
const HEADERS = ['Content-Type', 'Prefer', 'Upload-Length', 'Upload-Offset'];
const PATH = /^v1(\/[\w.~%-]+)*(\?[\w.~%=&-]*)?$/;

/**
 * Exchanges a request, `{ method, path, headers, body, farewell }`, with the server at `base`, and returns `{ status, location,
 * offset, retryAfter, body }`, with the body as a Blob. `headers` are pairs. The body is a Blob, or a list of `{ label, file }`
 * that is sent as a form, or undefined. No one waits for a `farewell`. `sent(bytes)` and `received(bytes, total)` report the
 * progress; a `total` of 0 means unknown.
 */
export async function exchange(base, { method, path, headers, body, farewell }, { signal, sent, received } = {}) {
  checkSignal(signal);
  const url = addressOf(base, path);
  if (!METHODS.includes(method) || !headers.every(([name]) => HEADERS.includes(name))) throw forbidden();
  if (farewell) {
    fetch(url, { method, keepalive: true }).catch(() => {});
    return { status: 204, body: new Blob() };
  }
  const send = typeof XMLHttpRequest === 'function' ? byXhr : byFetch;
  return send(method, url, { headers, body: await sendable(body), signal, sent, received });
}

function addressOf(base, path) {
  const url = PATH.test(path) ? new URL(path, base) : null;
  const { href: root } = new URL('v1', base);
  // Dots, encoded or not, must not lead out of the interface.
  if (url?.href.startsWith(root) && ['', '/', '?'].includes(url.href.charAt(root.length))) return url;
  throw forbidden();
}

const forbidden = () => new SafelightError('bad_message', 'this request is not one of the interface');

async function sendable(body) {
  if (!Array.isArray(body)) return body;
  const form = new FormData();
  for (const { label, file } of body) {
    // Firefox (153) never finishes sending a form with blobs from another process, such as the vault's, so they are copied.
    form.append(label, new Blob([await file.arrayBuffer()], { type: file.type }), 'picture.png');
  }
  return form;
}

function byXhr(method, url, { headers, body, signal, sent, received }) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const stop = () => xhr.abort();
    xhr.open(method, url);
    xhr.responseType = 'blob';
    for (const [name, value] of headers) xhr.setRequestHeader(name, value);
    if (sent && body) xhr.upload.onprogress = xhr.upload.onload = ({ loaded }) => sent(loaded);
    if (received) xhr.onprogress = ({ loaded, total }) => xhr.status === 200 && received(loaded, total);
    xhr.onload = () => resolve(answer(xhr.status, xhr.response, (name) => xhr.getResponseHeader(name)));
    xhr.onerror = xhr.ontimeout = () => reject(unreachable(url));
    xhr.onabort = () => reject(cancelled());
    xhr.onloadend = () => signal?.removeEventListener('abort', stop);
    signal?.addEventListener('abort', stop);
    xhr.send(body);
  });
}

async function byFetch(method, url, { headers, body, signal, sent, received }) {
  try {
    const got = await fetch(url, { method, body, headers, signal });
    if (body instanceof Blob) sent?.(body.size);
    const total = Number(got.headers.get('Content-Length') ?? 0);
    const pieces = [];
    let done = 0;
    const reader = got.body?.getReader();
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader.read()) {
      pieces.push(new Blob([piece.value])); // a Blob can be moved to disk, an array cannot
      if (got.status === 200) received?.((done += piece.value.length), total);
    }
    return answer(got.status, new Blob(pieces), (name) => got.headers.get(name));
  } catch {
    checkSignal(signal);
    throw unreachable(url);
  }
}

function answer(status, body, header) {
  const number = (name) => (/^\d+$/.test(header(name) ?? '') ? Number(header(name)) : undefined);
  const location = header('Location') ?? undefined;
  return { status, location, offset: number('Upload-Offset'), retryAfter: number('Retry-After'), body };
}

function unreachable({ host }) {
  return new SafelightError('unreachable', `the connection to the server ${host} failed`);
}
