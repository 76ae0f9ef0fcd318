// One protocol, three drivers: the command line, Node, and the vault with its element send a server the same requests, also
// when the connection breaks in the middle of an upload.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { browsers, cli, openBrowser, root, startServer } from '../browser/lib/harness.mjs';
import { makePhoto } from '../browser/lib/photos.mjs';
import { encodePng } from '../browser/lib/png.mjs';
import { project } from './lib/project.mjs';

const PHOTO = encodePng(makePhoto(32, 32, 3, 7));
const HEADERS = ['content-type', 'prefer', 'upload-length', 'upload-offset'];
const ARRIVES = 1_000_000; // bytes of the first piece of keys, before the connection breaks
const OPEN = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Allow-Methods': '*',
  'Access-Control-Expose-Headers': '*',
};

/** The requests of an encrypted question, without ids, and without repeated requests for a job. */
const RECORDED = [
  'GET /v1/models/cifar10/file',
  'POST /v1/keys upload-length=KEYS',
  'PATCH /v1/keys/ID content-type=application/partial-upload upload-offset=0',
  'HEAD /v1/keys/ID',
  `PATCH /v1/keys/ID content-type=application/partial-upload upload-offset=${ARRIVES}`,
  'POST /v1/classifiers/cifar10?keys=ID content-type=application/vnd.safelight prefer=respond-async PHOTO',
  'GET /v1/jobs/ID',
  'GET /v1/jobs/ID/result',
  'DELETE /v1/jobs/ID',
  'DELETE /v1/keys/ID',
];

/** A server that passes everything on to its `site`, interrupts the first upload of keys, and records the requests. */
async function startRecorder() {
  const recorder = { site: null, lines: [], broken: false };
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    if (method === 'OPTIONS') return response.writeHead(204, OPEN).end();
    const known = HEADERS.filter((name) => headers[name] !== undefined && method !== 'GET').map((name) => ` ${name}=${headers[name]}`);
    const breaks = method === 'PATCH' && !recorder.broken;
    const parts = [];
    let length = 0;
    for await (const part of request) {
      parts.push(part);
      length += part.length;
      if (breaks && length >= ARRIVES) break;
    }
    const body = Buffer.concat(parts);
    recorder.lines.push({ method, url, known, length });
    const passed = Object.fromEntries(HEADERS.filter((name) => headers[name]).map((name) => [name, headers[name]]));
    const send = (part) => fetch(new URL(url, recorder.site), { method, headers: passed, body: part.length > 0 ? part : undefined });
    if (breaks) {
      recorder.broken = true;
      await send(body.subarray(0, ARRIVES));
      return response.socket.destroy();
    }
    const answer = await send(body);
    const { 'content-encoding': _, 'transfer-encoding': __, connection: ___, ...rest } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, { ...rest, ...OPEN });
    response.end(method === 'HEAD' ? undefined : Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return Object.assign(recorder, {
    url: `http://127.0.0.1:${server.address().port}/`,
    /** The requests since the last call, except for those for the server's offer. */
    taken() {
      const lines = recorder.lines
        .filter(({ url }) => url !== '/v1' && url.startsWith('/v1'))
        .map(({ method, url, known, length }) => {
          const path = url.replace(/(keys|jobs)\/[\w-]{24}/, '$1/ID').replace(/keys=[\w-]{24}/, 'keys=ID');
          const size = method === 'POST' && length > 0 ? ' PHOTO' : '';
          return `${method} ${path}${known.join('').replace(/upload-length=\d+/, 'upload-length=KEYS')}${size}`;
        });
      const sizes = recorder.lines.filter(({ method }) => method === 'POST').map(({ known, length }) => `${known} ${length}`);
      Object.assign(recorder, { lines: [], broken: false });
      return { lines: lines.filter((line, i) => line !== lines[i - 1]), sizes };
    },
    stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  });
}

describe('an encrypted question', () => {
  const { place } = project('node');
  const files = mkdtempSync(join(tmpdir(), 'safelight-exchange-'));
  let server, recorder, first;
  before(async () => {
    recorder = await startRecorder();
    server = await startServer('--models', join(root, 'models'), '--connect-src', new URL(recorder.url).origin);
    recorder.site = server.url;
  });
  after(async () => {
    await recorder?.stop();
    await server?.stop();
  });

  /** Checks that the requests are the recorded ones, and have the same lengths as those of the first driver. */
  function compare() {
    const { lines, sizes } = recorder.taken();
    assert.deepEqual(lines, RECORDED);
    first ??= sizes;
    assert.deepEqual(sizes, first);
  }

  it('of the command line', async () => {
    const photo = join(files, 'photo.png');
    writeFileSync(photo, PHOTO);
    await cli('classify', '--server', recorder.url, '--model', 'cifar10', '--key', join(files, 'vectors.key'), photo);
    compare();
  });

  it('of Node', async () => {
    const { Safelight, Server } = await import(pathToFileURL(join(place, 'index.js')));
    const remote = new Server(recorder.url);
    const safelight = await Safelight.open();
    try {
      const ckks = await safelight.ckks();
      const network = await ckks.network(await remote.network('cifar10'));
      await ckks.newKey(network.set);
      const keys = await remote.sendKeys(await network.evaluationKeys());
      const photo = await safelight.read(PHOTO);
      const phases = new Set();
      const onProgress = ({ phase }) => phases.add(phase);
      const answer = await remote.ask('cifar10', keys, await network.encrypt(photo), { onProgress });
      assert.ok(network.labels.includes((await network.open(answer)).label));
      assert.deepEqual([...phases], ['upload', 'classify', 'download']);
      remote.forget(keys);
      while (!recorder.lines.some(({ method, url }) => method === 'DELETE' && url.startsWith('/v1/keys'))) await next();
    } finally {
      safelight.close();
    }
    compare();
  });

  for (const name of browsers) {
    it(`of the vault in ${name}`, async () => {
      const browser = await openBrowser(name);
      try {
        const page = await browser.open(`${server.url}/?server=${encodeURIComponent(recorder.url)}`);
        await page.page.select('#task', 'classify-encrypted');
        await page.until(() => document.getElementById('labels').textContent !== '', 'the labels');
        await page.put(['photo.png', PHOTO]);
        await page.done();
        await page.page.$eval('safe-light', (element) => element.remove());
        while (!recorder.lines.some(({ method, url }) => method === 'DELETE' && url.startsWith('/v1/keys'))) await next();
      } finally {
        await browser.close();
      }
      compare();
    });
  }
});

describe('a vault that asks a site for requests', () => {
  const { installed } = project();
  const plain = { method: 'GET', path: 'v1', headers: [] };
  let seen, site, exchange;
  before(async () => {
    ({ exchange } = await import(pathToFileURL(join(installed, 'shared/exchange.js'))));
    site = createServer(({ url }, response) => (seen.push(url), response.end('{}')));
    await new Promise((ready) => site.listen(0, '127.0.0.1', ready));
  });
  after(() => site?.close());

  const attempt = async (base, request) => {
    seen = [];
    const address = new URL(base, `http://127.0.0.1:${site.address().port}`);
    const code = await exchange(address, { ...plain, ...request }).then(() => 'done', (error) => error.code); // prettier-ignore
    return [code, ...seen];
  };

  it('gets the interface of the server', async () => {
    for (const path of ['v1', 'v1/keys/a-b_c', 'v1/filters/mean?size=3x1&w=1%2C2', 'v1/models/a%20b/file']) {
      assert.deepEqual(await attempt('/', { path }), ['done', `/${path}`]);
      assert.deepEqual(await attempt('/below/', { path }), ['done', `/below/${path}`]);
    }
    assert.deepEqual(await attempt('/', { method: 'DELETE', headers: [['Prefer', 'x']] }), ['done', '/v1']);
  });

  it('gets nothing else', async () => {
    const paths = ['', '/', 'admin', '/v1', 'v2', 'v10', 'v1/', 'v1//x', 'v1/../v10/x', 'v1/../admin', 'v1/%2e%2e/admin', 'v1/%2E./v10', 'v1/./..'];
    const others = ['//other.example/v1', 'http://other.example/v1', 'v1\\..\\admin', 'v1#x', 'v1/a b', 'v1/a\n', 'v1?x=<', null, {}, ['v1', 'x']];
    for (const path of [...paths, ...others]) {
      for (const base of ['/', '/below/']) assert.deepEqual(await attempt(base, { path }), ['bad_message'], JSON.stringify(path));
    }
    for (const method of ['PUT', 'OPTIONS', 'CONNECT', 'get', '', null]) assert.deepEqual(await attempt('/', { method }), ['bad_message'], method);
    for (const name of ['Authorization', 'Cookie', 'Host', 'X-Admin', 'content-type']) {
      assert.deepEqual(await attempt('/', { headers: [[name, 'x']] }), ['bad_message'], name);
    }
  });
});

const next = () => new Promise((resolve) => setTimeout(resolve, 50));
