// The package without a bundler, with Vite and with webpack, in a real browser: an app that uses the class API, and a site
// that uses the element. The bundled pages run under a strict content security policy.

import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build, createServer } from 'vite';
import webpack from 'webpack';
import { expected } from '../browser/lib/filters.mjs';
import { openBrowser } from '../browser/lib/harness.mjs';
import { makePhoto } from '../browser/lib/photos.mjs';
import { decodePng, encodePng } from '../browser/lib/png.mjs';
import { project, serveFiles, startServer } from './lib/project.mjs';

const photo = makePhoto(41, 29, 3, 8);

const bundlers = {
  'no bundler': ({ place }) => ({ site: place, main: 'plain.html', element: 'plain.html' }),

  Vite: async ({ place }) => {
    const input = ['index.html', 'element.html'].map((name) => join(place, name));
    const quiet = (level, log, next) => (level === 'warn' ? assert.fail(`Vite warns: ${log.message}`) : next(level, log));
    await build({ root: place, configFile: false, logLevel: 'warn', build: { rollupOptions: { input, onLog: quiet } } });
    return { site: join(place, 'dist'), main: 'index.html', element: 'element.html' };
  },

  'Vite while developing': async ({ place }, t) => {
    const optimizeDeps = { exclude: ['safelight'] };
    const server = { host: '127.0.0.1', port: 0 };
    const site = await createServer({ root: place, configFile: false, logLevel: 'warn', optimizeDeps, server });
    t.after(() => site.close());
    await site.listen();
    return { url: `http://127.0.0.1:${site.httpServer.address().port}/`, main: 'index.html', element: 'element.html' };
  },

  webpack: async ({ place }) => {
    const site = join(place, 'dist');
    const stats = await new Promise((resolve, reject) => {
      const entry = { main: './main.js', element: './element.js' };
      const settings = { context: place, mode: 'production', entry, performance: false, output: { path: site, clean: true } };
      webpack(settings, (error, found) => (error ? reject(error) : resolve(found)));
    });
    assert.equal(stats.toString({ all: false, errors: true, warnings: true }), '');
    for (const name of ['index.html', 'element.html']) copyFileSync(join(place, name), join(site, name));
    return { site, main: 'index.html', element: 'element.html' };
  },
};

describe('the package in a browser', () => {
  let server, browser;
  before(async () => {
    server = await startServer('--allow-origin', '*');
    browser = await openBrowser('chromium');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const [name, bundle] of Object.entries(bundlers)) {
    it(`with ${name}`, async (t) => {
      const { site, url, main, element } = await bundle(project('app'), t);
      const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${server.url}; require-trusted-types-for 'script'; trusted-types safelight`;
      const headers = main === 'plain.html' ? {} : { 'Content-Security-Policy': policy };
      const host = site ? await serveFiles(site, { headers }) : { url };
      t.after(() => host.stop?.());

      const app = await browser.open(host.url + main, { ready: false });
      await app.until(() => 'wholeWay' in globalThis, 'the app');
      host.sent?.clear();
      const run = (address, bytes) => globalThis.wholeWay(address, bytes);
      const result = await app.page.evaluate(run, server.url, [...encodePng(photo)]);
      assert.deepEqual(decodePng(Buffer.from(result.png)), expected('mean', { radius: 1 }, [photo]));
      assert.deepEqual([result.checked, result.late, result.variant], [true, 'closed', 'relaxed']);
      assert.deepEqual(app.complaints, []);
      if (host.sent) {
        const wasm = [...host.sent.keys()].filter((path) => path.endsWith('.wasm'));
        assert.equal(wasm.length, 2, `one build of the client is fetched, and the client of a server: ${wasm}`);
        t.diagnostic(`${name}: the workers fetched ${sizes(host.sent)}`);
      }
      await app.page.close();

      const photos = await browser.open(host.url + element, { ready: false });
      await photos.until(() => customElements.get('safe-light'), 'the element');
      const shown = () => [globalThis.element.shadowRoot !== null, globalThis.element.ready instanceof Promise];
      assert.deepEqual(await photos.page.evaluate(shown), [true, true]);
      await photos.page.close();
    });
  }
});

function sizes(sent) {
  const files = [...sent.values()];
  const sum = (size) => Math.ceil(files.reduce((all, body) => all + size(body), 0) / 1000);
  return `${files.length} files, ${sum((body) => body.length)} KB, gzipped ${sum((body) => gzipSync(body, { level: 9 }).length)} KB`;
}
