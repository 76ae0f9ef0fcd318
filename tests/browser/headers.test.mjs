// The vault's headers are its server's current ones, even if a service worker has its files: a site that may no longer embed
// the vault cannot, and a stricter policy applies at the next start. Without a network, the vault still starts.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { browsers, openBrowser, root, serve, vaultFolder } from './lib/harness.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.svg': 'image/svg+xml' };

/** A plain host of the vault on localhost. `at.policy(path)` is each file's policy, `at.more` adds headers for the page. */
async function host(policy) {
  const at = { policy, more: {}, next: '', asked: [], gone: false };
  const server = createServer(async (request, answer) => {
    const path = new URL(request.url, 'http://any').pathname;
    at.asked.push(request.url);
    if (at.gone) return request.socket.destroy();
    const file = await readFile(join(vaultFolder, path.replace(/\/$/, '/index.html'))).catch(() => null);
    const body = file && path === '/' ? Buffer.concat([file, Buffer.from(at.next)]) : file; // the next version's page differs
    const headers = { 'Content-Type': TYPES[extname(path) || '.html'] ?? 'text/plain', 'Cache-Control': 'max-age=600', ETag: '"one"' };
    const unchanged = request.headers['if-none-match'] === '"one"';
    const more = path === '/' ? at.more : {};
    answer.writeHead(body ? (unchanged ? 304 : 200) : 404, { ...headers, 'Content-Security-Policy': at.policy(path), ...more });
    answer.end(unchanged ? undefined : body);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  at.url = `http://localhost:${server.address().port}/`;
  at.stop = () => new Promise((done) => (server.close(done), server.closeAllConnections()));
  return at;
}

/** Whether the service worker has all files. */
const kept = async () => {
  const { active } = (await navigator.serviceWorker.getRegistration()) ?? {};
  return active?.state === 'activated' && navigator.serviceWorker.controller !== null;
};

for (const name of browsers) {
  it(`a site that may no longer embed the vault cannot, in ${name}`, async () => {
    const page = join(root, 'tests/browser/hostile');
    let server = await serve({ page });
    const { port } = new URL(server.url);
    const browser = await openBrowser(name);
    try {
      const embed = async () => {
        const visit = await browser.open(server.url, { ready: false });
        await visit.page.evaluate(() => window.embed());
        return visit;
      };
      let visit = await embed();
      await visit.ready();
      await visit.until(kept, 'the service worker');
      await visit.page.close();

      visit = await embed(); // from the service worker
      await visit.ready();
      await visit.page.close();

      await server.stop();
      server = await serve({ page, port }, '--embedder', 'https://photos.example');
      for (let times = 0; times < 2; times++) {
        visit = await embed();
        await sleep(3000);
        assert.equal(await visit.page.evaluate(() => document.documentElement.dataset.ready), undefined);
        // A longer address, for which a server may give no answer, does not help.
        await visit.page.evaluate(() => window.navigate(`?${'x'.repeat(300_000)}`));
        await sleep(2000);
        assert.equal(await visit.page.evaluate(() => document.documentElement.dataset.ready), undefined);
        await visit.page.close();
      }

      await server.stop();
      server = await serve({ page, port });
      visit = await embed();
      await visit.ready(); // when it may again, it works at once
    } finally {
      await browser.close();
      await server.stop();
    }
  });

  it(`a stricter policy applies at the next start, in ${name}`, async () => {
    const loose = "default-src 'self' 'wasm-unsafe-eval' blob:";
    const at = await host(() => loose);
    const browser = await openBrowser(name);
    const refused = () =>
      new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => resolve(effectiveDirective), { once: true });
        document.body.append(Object.assign(document.createElement('img'), { src: URL.createObjectURL(new Blob()) }));
        setTimeout(() => resolve('nothing'), 1000);
      });
    const open = () => browser.open(at.url, { ready: false });
    try {
      let visit = await open();
      await visit.page.evaluate(() => void navigator.serviceWorker.register('sw.js')); // as the vault does inside a site
      await visit.until(kept, 'the service worker');
      assert.equal(await visit.page.evaluate(refused), 'nothing');
      await visit.page.close();

      at.policy = () => `${loose}; img-src 'none'`;
      visit = await open();
      assert.ok(await visit.page.evaluate(() => navigator.serviceWorker.controller !== null), 'the service worker is at work');
      assert.equal(await visit.page.evaluate(refused), 'img-src');
      await visit.page.close();

      at.gone = true; // the stored copy has the newer headers
      visit = await open();
      assert.equal(await visit.page.evaluate(refused), 'img-src');
      await visit.page.close();

      // Workers have a policy of their own.
      at.gone = false;
      const started = (page) =>
        page.evaluate(async () => {
          const { Safelight } = await import('./client/safelight.js');
          return Safelight.open().then(
            (safelight) => (safelight.close(), 'started'),
            ({ code }) => code,
          );
        });
      visit = await open();
      assert.equal(await started(visit.page), 'started');
      at.policy = (path) => (path.endsWith('/keeper.js') ? "default-src 'none'" : loose);
      assert.notEqual(await started(visit.page), 'started');
      await visit.page.close();
    } finally {
      await browser.close();
      await at.stop();
    }
  });

  it(`all current headers apply while another version is being fetched, in ${name}`, async () => {
    const loose = "default-src 'self' 'wasm-unsafe-eval' blob:";
    const at = await host(() => loose);
    const outer = createServer((_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end('<link rel="icon" href="data:,"><body>'));
    await new Promise((ready) => outer.listen(0, '127.0.0.1', ready));
    const browser = await openBrowser(name);
    /** Embeds the vault in another site, and returns whether it runs there. */
    const embed = async () => {
      const visit = await browser.open(`http://127.0.0.1:${outer.address().port}/`, { ready: false });
      const runs = await visit.page.evaluate(
        (src) =>
          new Promise((resolve) => {
            addEventListener('message', ({ data, source }) => {
              if (!data?.safelight) return;
              const { port1, port2 } = new MessageChannel();
              window.line = port1;
              source.postMessage({ safelight: 1, op: 'connect' }, '*', [port2]);
              resolve(true);
            });
            document.body.append(Object.assign(document.createElement('iframe'), { src }));
            setTimeout(() => resolve(false), 4000);
          }),
        at.url,
      );
      return { visit, runs };
    };
    const runs = async () => {
      const { visit, runs } = await embed();
      await visit.page.close();
      return runs;
    };
    /** In the vault: whether its policies allow this picture, as a Blob or as a data URL. */
    const shows = (how) => {
      const text = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';
      const blob = () => URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
      return new Promise((resolve) => {
        const image = document.createElement('img');
        [image.onload, image.onerror] = [() => resolve(true), () => resolve(false)];
        image.src = how === 'blob' ? blob() : `data:image/svg+xml,${encodeURIComponent(text)}`;
      });
    };
    const shown = async (how) => {
      const { visit } = await embed();
      await visit.until((url) => location.href === url, 'the frame', { args: [at.url] }); // the browser driver learns of it later
      const answer = await visit.vault.evaluate(shows, how);
      await visit.page.close();
      return answer;
    };
    try {
      const { visit, runs: atFirst } = await embed();
      assert.ok(atFirst);
      await visit.until(kept, 'the service worker');
      await visit.page.close();

      at.next = '<!-- the next version -->';
      assert.equal(await runs(), true);
      at.more = { 'X-Frame-Options': 'DENY' };
      assert.equal(await runs(), false);
      at.gone = true; // the stored copy has the newer headers
      assert.equal(await runs(), false);
      at.gone = false;
      at.more = {};
      assert.equal(await runs(), true); // when it may again, it works at once

      // Both policies apply, the version's own and the current one; an earlier current one does not.
      assert.equal(await shown('blob'), true);
      at.policy = () => `${loose}; img-src 'none'`;
      assert.equal(await shown('blob'), false);
      at.gone = true;
      assert.equal(await shown('blob'), false);
      at.gone = false;
      at.policy = () => "default-src 'self' 'wasm-unsafe-eval' blob: data:";
      assert.equal(await shown('blob'), true);
      assert.equal(await shown('data'), false);
    } finally {
      await browser.close();
      await at.stop();
      outer.close();
      outer.closeAllConnections();
    }
  });
}
