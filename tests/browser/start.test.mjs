// The vault's start: quick, without layout shifts, with each WebAssembly file fetched once, and the second time offline.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { expected } from './lib/filters.mjs';
import { browsers, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';
import { startRecorder } from './lib/recorder.mjs';

for (const name of browsers) {
  it(`the start in ${name}`, async () => {
    const server = await startServer();
    let offline = false;
    const refuse = ({ hostname }) => offline && hostname === 'localhost';
    const recorder = await startRecorder(server.url, { refuse });
    const browser = await openBrowser(name, { proxy: recorder.port });
    const photo = makePhoto(30, 20, 3, 5);
    const works = async (page) => {
      await page.filter('mean', { radius: 1 });
      await page.put(['photo.png', encodePng(photo)]);
      await page.done();
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), expected('mean', {}, [photo]));
    };
    try {
      let page = await browser.open(server.url);
      const { paint, shift } = await page.vault.evaluate(async () => {
        const entries = (type) =>
          new Promise((resolve) => {
            if (!PerformanceObserver.supportedEntryTypes.includes(type)) return resolve([]);
            new PerformanceObserver((list) => resolve(list.getEntries())).observe({ type, buffered: true });
            setTimeout(() => resolve([]), 500);
          });
        const paints = await entries('paint');
        return {
          paint: paints.find((entry) => entry.name === 'first-contentful-paint')?.startTime,
          shift: (await entries('layout-shift')).reduce((sum, entry) => sum + entry.value, 0),
        };
      });
      console.log(`${name}: first paint of the vault after ${Math.round(paint)} ms, layout shift ${shift.toFixed(3)}`);
      assert.ok(shift < 0.1, `the layout jumps: ${shift}`);
      await page.newKey(2048);
      await works(page);

      const wasm = () => recorder.requests.filter((line) => line.endsWith('.wasm')).length;
      const kept = () =>
        page.vault.evaluate(async () => {
          for (const key of await caches.keys()) {
            const files = (await (await caches.open(key)).keys()).map(({ url }) => new URL(url).pathname);
            if (files.filter((file) => file.endsWith('.wasm')).length > 1) return files;
          }
          return null;
        });
      let files;
      for (let tries = 0; tries < 100 && !files; tries++) files = (await kept()) ?? (await sleep(100), null);
      assert.ok(files, 'the service worker keeps the files');
      assert.equal(files.filter((file) => file.endsWith('.wasm')).length, 2, 'one build, and the client of a server');
      assert.ok(files.every((file) => !file.startsWith('/v1')), 'the vault’s own files only');
      assert.equal(wasm(), 2, 'each fetched once, for page, workers and service worker');
      await page.page.close();

      offline = true;
      const from = recorder.requests.length;
      page = await browser.open(server.url);
      await works(page);
      // Requests for pages and workers go to the network, for their headers. (A browser may ask twice if there is no answer.)
      const policed = /\/(sw\.js|client\/([a-z]+\/)*(keeper|compute)\.js)?$/;
      const asked = recorder.requests.slice(from).filter((line) => line.includes('//localhost:') && !policed.test(line));
      assert.deepEqual(asked, [], 'the vault asks for nothing but its policy and news of its service worker');
    } finally {
      await browser.close();
      await recorder.stop();
      await server.stop();
    }
  });
}
