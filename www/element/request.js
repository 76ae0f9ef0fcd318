// One HTTP request. Browsers use XMLHttpRequest, because only it reports upload progress; service workers and Node have
// only fetch.

import { cancelled, checkSignal, SafelightError } from '../shared/errors.js';

/**
 * Returns `{ status, body, header(name) }`, with the body as a Blob. Fails with the server's error code if it sent one.
 * `onUpload(done, total)` and `onDownload(done, total, status)` receive the progress; a `total` of 0 means unknown.
 */
export async function request(method, url, { body = null, headers = {}, signal, onUpload, onDownload } = {}) {
  checkSignal(signal);
  const send = typeof XMLHttpRequest === 'function' ? byXhr : byFetch;
  const answer = await send(method, url, { body, headers, signal, onUpload, onDownload });
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw problem(answer.status, await answer.body.text());
}

function byXhr(method, url, { body, headers, signal, onUpload, onDownload }) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const stop = () => xhr.abort();
    xhr.open(method, url);
    xhr.responseType = 'blob';
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (onUpload) xhr.upload.onprogress = ({ loaded, total }) => onUpload(loaded, total);
    if (onUpload) xhr.upload.onload = ({ loaded }) => onUpload(loaded, loaded);
    if (onDownload) xhr.onprogress = ({ loaded, total }) => onDownload(loaded, total, xhr.status);
    xhr.onload = () =>
      resolve({ status: xhr.status, body: xhr.response, header: (name) => xhr.getResponseHeader(name) });
    xhr.onerror = xhr.ontimeout = () => reject(unreachable(url));
    xhr.onabort = () => reject(cancelled());
    xhr.onloadend = () => signal?.removeEventListener('abort', stop);
    signal?.addEventListener('abort', stop);
    xhr.send(body);
  });
}

async function byFetch(method, url, { body, headers, signal, onUpload, onDownload }) {
  try {
    const answer = await fetch(url, { method, body, headers, signal });
    if (body) onUpload?.(body.size, body.size);
    const total = Number(answer.headers.get('Content-Length') ?? 0);
    const pieces = [];
    let done = 0;
    const reader = answer.body?.getReader();
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader.read()) {
      pieces.push(new Blob([piece.value])); // a Blob can be moved to disk, an array cannot
      onDownload?.((done += piece.value.length), total, answer.status);
    }
    const type = answer.headers.get('Content-Type') ?? '';
    return { status: answer.status, body: new Blob(pieces, { type }), header: (name) => answer.headers.get(name) };
  } catch {
    checkSignal(signal);
    throw unreachable(url);
  }
}

function unreachable({ host }) {
  return new SafelightError('unreachable', `the connection to the server ${host} failed`);
}

function problem(status, text) {
  try {
    const { code, detail, title } = JSON.parse(text);
    if (typeof code === 'string') return new SafelightError(code, detail || title || `the server answered ${status}`);
  } catch {
    // not a problem document
  }
  return new SafelightError('bad_answer', `the server answered ${status} without giving a reason`);
}
