// The example photo site: it stores ciphertext and shows it to its owner through the vault.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, listening, openBrowser, python, root, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';

/** An unused port: site and server need each other's addresses before both run. */
async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

for (const name of browsers) {
  it(`the example gallery in ${name}`, async () => {
    const site = `http://127.0.0.1:${await freePort()}`;
    const server = await startServer('--embedder', site, '--allow-origin', site);
    const vault = server.url.replace('127.0.0.1', 'localhost');
    const places = ['--listen', site.slice(7), '--server', `${server.url}/`, '--vault', `${vault}/`];
    const gallery = await listening(python, ['-u', join(root, 'examples/photo_site.py'), ...places]);
    const browser = await openBrowser(name);
    try {
      const page = await browser.open(site, { ready: false });
      await page.until(() => document.documentElement.dataset.ready === 'yes', 'the vault');
      await page.newKey(2048);
      const photo = makePhoto(60, 45, 3, 19);
      await page.put(['summer.png', encodePng(photo)]);
      await page.done();
      await page.page.waitForSelector('#store:enabled');
      await Promise.all([page.page.waitForNavigation(), page.page.click('#store')]);
      await page.until(() => document.documentElement.dataset.ready === 'yes', 'the vault again');
      assert.match(await page.page.$eval('.photos', (list) => list.textContent), /Open photo 1.*MB of ciphertext/);
      await page.page.click('[data-open]');
      await page.until(() => document.querySelectorAll('[data-state="asking"]').length === 1, 'the question');
      await page.click('open-all');
      await page.done();
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), expected('gaussian', { sigma: 1.2 }, [photo]));
      await page.screenshot(`${name}-gallery`, 1100, 900);

      const clear = await fetch(`${site}/photos`, { method: 'POST', body: encodePng(photo), headers: { Origin: site } });
      assert.equal(clear.status, 400, 'it takes no clear photos');
      assert.deepEqual(page.complaints, []);
    } finally {
      await browser.close();
      await gallery.stop();
      await server.stop();
    }
  });
}
