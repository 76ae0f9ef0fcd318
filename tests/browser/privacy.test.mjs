// Nothing secret travels: a recorder between browser and network stores every byte in both directions, and a search
// looks there for the key, the pixels and the file's name. Planted leaks show that the search would find them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, openBrowser, startServer } from './lib/harness.mjs';
import { needlesOf } from './lib/needles.mjs';
import { makePhoto } from './lib/photos.mjs';
import { encodePng } from './lib/png.mjs';
import { p3Profile } from './lib/profiles.mjs';
import { startRecorder } from './lib/recorder.mjs';
import { search } from './lib/search.mjs';

const FILE = 'Überfahrt nach Vardø, geheim-7c1e.png';
const PROFILE = 'camera 9d3b of Vardø';

// The leaks that the recorder appends to a delivered script, and the names that the search must then find. A compute worker may
// end before its `fetch` has been sent, so leaks there wait for the answer.
const ask = '(url) => { const asking = new XMLHttpRequest(); asking.open("GET", url, false); asking.send(); }';
const inKeeper = (leak) => `
  const spying = setInterval(() => {
    const secret = keys?.secret('paillier');
    if (!secret) return;
    clearInterval(spying);
    const bytes = secret.toBytes();
    const prime = [...bytes.subarray(34, 34 + secret.bits / 16)].reverse();
    const primeHex = prime.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    ${leak}
  }, 20);`;
// Leaks with different finds are planted in the same visit.
const visits = [
  [
    ['the key file, as it is', '/client/keeper.js', inKeeper("fetch('/v1', { method: 'POST', body: bytes });"), /key file/],
    [
      'a row of pixels in base64',
      '/client/schemes/paillier/compute.js',
      `const ask = ${ask};
       const plain = ops.encryptor;
       ops.encryptor = (job) => {
         const row = String.fromCharCode(...job.photo.samples.subarray(300, 360));
         ask('/v1?t=' + encodeURIComponent(btoa(row)));
         return plain(job);
       };`,
      /pixels/,
    ],
    [
      'the colour profile in a query',
      '/client/schemes/paillier/compute.js',
      `const ask = ${ask};
       const plain = ops.finish;
       ops.finish = (job) => {
         if (job.colour) ask('/v1?c=' + encodeURIComponent(btoa(String.fromCharCode(...job.colour.subarray(140, 300)))));
         return plain(job);
       };`,
      /colour profile/,
    ],
    [
      'the file’s name in a header',
      '/client/safelight.js',
      `const plain = Safelight.prototype.read;
       Safelight.prototype.read = function (file, options) {
         fetch('/v1', { headers: { 'X-Name': encodeURIComponent(file.name) } });
         return plain.call(this, file, options);
       };`,
      /text/,
    ],
  ],
  [
    ['a prime in hexadecimal in a query', '/client/keeper.js', inKeeper("fetch('/favicon.svg?v=' + primeHex);"), /prime p(?! in decimal)/],
    [
      'a prime in decimal in a header',
      '/client/keeper.js',
      inKeeper("fetch('/v1', { headers: { 'X-Trace': String(BigInt('0x' + primeHex)) } });"),
      /prime p in decimal/,
    ],
    [
      'a row of the result as a list of numbers',
      '/client/keeper.js',
      `const plain = Pool.prototype.disposable;
       Pool.prototype.disposable = async function (...job) {
         const done = await plain.apply(this, job);
         if (done.rgba) fetch('/v1', { method: 'POST', body: JSON.stringify([...done.rgba.subarray(400, 480)]) });
         return done;
       };`,
      /pixels/,
    ],
  ],
  [
    [
      'a part of the key file, shifted, in base64',
      '/client/keeper.js',
      inKeeper("fetch('/v1?x=' + btoa('?' + String.fromCharCode(...bytes.subarray(90, 150))));"),
      /key file|prime/,
    ],
  ],
];

for (const name of browsers) {
  describe(`privacy in ${name}`, () => {
    it('nothing secret travels', async () => {
      const { recorder, found, publicFound } = await recordedVisit(name);
      assert.deepEqual(found, []);
      assert.deepEqual(publicFound, ['modulus n'], 'the recorder must have seen the encrypted photo');
      const elsewhere = recorder.requests.filter((line) => !line.includes('http://127.0.0.1:'));
      console.log(
        `${name}: ${recorder.requests.length} requests recorded, ${elsewhere.length} refused ones of the browser itself`,
      );
      assert.ok(recorder.requests.some((line) => line.startsWith('POST') && line.includes('/v1/filters/mean')));
    });

    for (const leaks of visits) {
      it(`finds planted leaks: ${leaks.map(([title]) => title).join('; ')}`, async () => {
        const planted = (path) => leaks.filter((leak) => leak[1] === path).map(([, , code]) => `\n;{${code}}`);
        const { found } = await recordedVisit(name, (path, text) => [text, ...planted(path)].join(''));
        for (const [title, , , wanted] of leaks) {
          const seen = found.some((secret) => wanted.test(secret));
          assert.ok(seen, `not found: ${title}; found only: ${found}`);
        }
      });
    }
  });
}

/** Makes a key, filters a photo, opens a result and saves everything, behind a recorder. Searches the recorded bytes. */
async function recordedVisit(name, rewrite) {
  const photo = makePhoto(48, 33, 4, 77);
  const profile = p3Profile(PROFILE);
  const server = await startServer();
  const recorder = await startRecorder(server.url, { rewrite });
  const browser = await openBrowser(name, { proxy: recorder.port });
  try {
    const page = await browser.open(server.url);
    await page.newKey(2048);
    await page.filter('mean', { radius: 1 });
    await page.put([FILE, encodePng(photo, { profile })]);
    await page.done();
    const reply = await page.saved('reply', 0);
    await page.put([`again ${FILE}.slt`, reply.bytes]);
    await page.done();
    await page.saved('picture', 0);
    const key = await page.savedKey();
    await page.click('forget-key');
    await page.until(
      () => document.querySelector('[data-testid="fingerprint"]').textContent === '',
      'the key to be forgotten',
    );

    const needles = await needlesOf({
      keyFile: key.bytes,
      pictures: [photo, expected('mean', {}, [photo])],
      texts: [FILE, 'geheim-7c1e', PROFILE],
      profile,
    });
    const recorded = recorder.recorded();
    return { recorder, found: search(needles.secret, recorded), publicFound: search(needles.open, recorded) };
  } finally {
    await browser.close();
    await recorder.stop();
    await server.stop();
  }
}
