// Servers that do something other than they claim: the page notices, and says so.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { crc32, decodePng, encodePng } from './lib/png.mjs';

let honest;
let cheat; // the change to a request: `{ path, change(answer) }`

/** A server that passes requests on to an honest one and may change the request or the answer. */
async function startCheat() {
  const server = createServer(async (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', '*');
    if (request.method === 'OPTIONS') return response.writeHead(204).end();
    const path = request.method === 'POST' ? (cheat.path ?? request.url) : request.url;
    const body = request.method === 'POST' ? await buffer(request) : undefined;
    const answer = await fetch(new URL(path, honest.url), {
      method: request.method,
      body,
      headers: body ? { 'Content-Type': 'application/vnd.safelight' } : {},
    });
    let bytes = Buffer.from(await answer.arrayBuffer());
    if (body && answer.ok) bytes = cheat.change?.(bytes) ?? bytes;
    response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') }).end(bytes);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

/** Changes the ciphertexts of the first row, and corrects its checksum. */
function inFirstRow(answer, change) {
  const start = 20 + answer.readUInt32LE(12);
  const size = answer.readUInt16LE(16) / 4;
  const columns = Math.ceil(answer.readUInt32LE(20) / answer.readUInt16LE(28)) + 2 * answer.readUInt16LE(32);
  const row = answer.subarray(start, start + columns * size);
  change(Array.from({ length: columns }, (_, i) => row.subarray(i * size, (i + 1) * size)));
  const crc = crc32(Buffer.concat([answer.subarray(start - 4, start), Buffer.alloc(4), row]));
  answer.writeUInt32LE(crc, start + columns * size);
  return answer;
}

function swap([a, b]) {
  const copy = Buffer.from(a);
  b.copy(a);
  copy.copy(b);
}

const cheats = [
  ['another filter than was asked for', { path: '/v1/filters/sharpen' }],
  ['two ciphertexts in each other’s place', { change: (answer) => inFirstRow(answer, swap) }],
  ['one ciphertext twice', { change: (answer) => inFirstRow(answer, ([a, b]) => void a.copy(b)) }],
];

for (const name of browsers) {
  describe(`cheating servers in ${name}`, () => {
    const photo = makePhoto(40, 33, 3, 71);
    let other, browser, page;
    before(async () => {
      other = await startCheat();
      honest = await startServer('--connect-src', other.url);
      browser = await openBrowser(name);
      page = await browser.open(`${honest.url}/?server=${encodeURIComponent(other.url)}`);
      await page.newKey(2048);
      await page.filter('mean', { radius: 1 });
    });
    after(async () => {
      await browser?.close();
      await honest?.stop();
      other?.stop();
    });

    for (const [title, how] of cheats) {
      it(title, async () => {
        cheat = how;
        await page.put(['photo.png', encodePng(photo)]);
        const { state, error } = await page.ended();
        assert.equal(state, 'failed');
        assert.match(error, /\[wrong_result\]/);
        assert.match(error, /do not rely on/);
        await page.click('remove', 0);
      });
    }

    it('an honest server, which is reported as honest', async () => {
      cheat = {};
      await page.put(['photo.png', encodePng(photo)]);
      await page.done();
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), expected('mean', {}, [photo]));
      assert.match(await page.words(), /the server did what it claims/);
    });
  });
}
