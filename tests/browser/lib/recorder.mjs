// A recording proxy between the browser and the network. Every byte of every connection passes through it, to any host.
//
// Two servers in one: the outer one stores the raw bytes of both directions; the inner one is an HTTP proxy that
// forwards requests to the server under test, can change the files that it delivers (to plant leaks), and refuses
// all other requests. So a test needs no network, and a leak to any host is still seen.

import http from 'node:http';
import net from 'node:net';
import { gunzipSync, inflateSync, brotliDecompressSync } from 'node:zlib';

/**
 * Starts a recorder in front of `serverUrl`. `rewrite(path, text)` may change delivered scripts; `hold(path, method)` may return
 * a promise that a request has to wait for; requests for which `refuse(url)` is true are not answered, as if the server were
 * not there.
 */
export async function startRecorder(serverUrl, { rewrite = (path, text) => text, hold = () => {}, refuse = () => false } = {}) {
  const raw = []; // every chunk on any connection, in either direction
  const bodies = []; // request and answer bodies again, without transfer encodings
  const requests = []; // "METHOD url", including refused requests
  const inner = http.createServer((request, response) => forward(request, response).catch(() => response.destroy()));

  async function forward(request, response) {
    requests.push(`${request.method} ${request.url}`);
    const body = await whole(request);
    bodies.push(body);
    const url = new URL(request.url, serverUrl);
    const [mine, { port }] = [['127.0.0.1', 'localhost'], new URL(serverUrl)]; // the site and its vault
    if (refuse(url)) return request.socket.destroy();
    if (url.port !== port || !mine.includes(url.hostname)) return response.writeHead(403).end();
    await hold(url.pathname, request.method);
    const headers = { ...request.headers, 'accept-encoding': 'identity', host: url.host };
    url.hostname = '127.0.0.1'; // where the server listens, whichever name was used
    delete headers['if-none-match'];
    delete headers['if-modified-since'];
    const upstream = http.request(url, { method: request.method, headers, setHost: false });
    response.on('close', () => upstream.destroy());
    const answered = new Promise((resolve, reject) => upstream.on('response', resolve).on('error', reject));
    upstream.end(body);
    const answer = await answered;
    if (/\.m?js$/.test(url.pathname)) {
      const text = rewrite(url.pathname, (await whole(answer)).toString());
      bodies.push(Buffer.from(text));
      return response
        .writeHead(answer.statusCode, { ...answer.headers, 'content-length': Buffer.byteLength(text) })
        .end(text);
    }
    response.writeHead(answer.statusCode, answer.headers);
    const parts = [];
    for await (const part of answer) {
      parts.push(part);
      response.write(part); // at once, for events
    }
    bodies.push(Buffer.concat(parts));
    response.end();
  }

  inner.on('connect', (request, socket) => {
    requests.push(`CONNECT ${request.url}`);
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    socket.on('error', () => {});
  });
  inner.on('upgrade', (request, socket) => {
    requests.push(`UPGRADE ${request.url}`);
    socket.destroy();
  });
  await listen(inner);

  const sockets = new Set();
  const outer = net.createServer((browser) => {
    const proxy = net.connect(inner.address().port, '127.0.0.1');
    for (const [from, to] of [
      [browser, proxy],
      [proxy, browser],
    ]) {
      sockets.add(from);
      const stream = [];
      raw.push(stream);
      from.on('data', (data) => stream.push(data));
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await listen(outer);

  return {
    port: outer.address().port,
    requests,
    /** Everything recorded so far, as the buffers that a search goes through. */
    recorded: () => [...raw.map((stream) => Buffer.concat(stream)), ...bodies, ...bodies.flatMap(unpacked)],
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([outer, inner].map((server) => new Promise((done) => server.close(done))));
    },
  };
}

/** The content of a compressed body. */
function unpacked(body) {
  return [gunzipSync, inflateSync, brotliDecompressSync].flatMap((unpack) => {
    try {
      return [unpack(body)];
    } catch {
      return [];
    }
  });
}

async function whole(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function listen(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}
