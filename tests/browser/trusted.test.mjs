// The class API on pages that require Trusted Types: it starts its workers through a policy of its own. If that is not allowed,
// it says what to add.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { browsers, openBrowser, vaultFolder } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { encodePng } from './lib/png.mjs';

const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
const PNG = [...encodePng(makePhoto(12, 9, 3, 4))];

/** A third-party page that has the client's files. Its address contains its policy. */
async function startHost() {
  const server = createServer(async ({ url }, answer) => {
    const { pathname, searchParams } = new URL(url, 'http://any');
    if (pathname === '/') {
      const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src data:; ${searchParams.get('policy')}`;
      return answer.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy }).end('<link rel="icon" href="data:,">');
    }
    const body = await readFile(join(vaultFolder, pathname)).catch(() => null);
    answer.writeHead(body ? 200 : 404, { 'Content-Type': TYPES[extname(pathname)] ?? 'text/plain' }).end(body);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const stop = () => new Promise((done) => (server.close(done), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop };
}

/** In a page: processes a photo with all kinds of workers. Returns the outcome. */
async function used(png, own) {
  if (own) trustedTypes.createPolicy('default', { createScriptURL: own === 'lets pass' ? (text) => text : () => null });
  const { Safelight } = await import('./client/safelight.js');
  const Plain = globalThis.Worker;
  try {
    const safelight = await Safelight.open();
    await safelight.newKey(2048);
    const file = await safelight.encrypt(Uint8Array.from(png), { filter: 'mean' });
    const { width, height } = await safelight.decrypt(file);
    safelight.close();
    return { width, height, restored: globalThis.Worker === Plain };
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
}

for (const name of browsers) {
  describe(`Trusted Types in ${name}`, () => {
    let host, browser;
    before(async () => {
      host = await startHost();
      browser = await openBrowser(name);
    });
    after(async () => {
      await browser?.close();
      await host?.stop();
    });

    async function under(policy, own = null) {
      const visit = await browser.open(`${host.url}?policy=${encodeURIComponent(policy)}`, { ready: false });
      const end = await visit.page.evaluate(used, PNG, own);
      await visit.page.close();
      return { end, complaints: visit.complaints };
    }
    const works = { end: { width: 12, height: 9, restored: true }, complaints: [] };

    it('with a policy for Safelight it works', async () => {
      assert.deepEqual(await under("require-trusted-types-for 'script'; trusted-types safelight"), works);
      assert.deepEqual(await under("require-trusted-types-for 'script'; trusted-types other safelight"), works);
      assert.deepEqual(await under("require-trusted-types-for 'script'"), works);
    });

    it('with a default policy of the page it works, too', async () => {
      assert.deepEqual(await under("require-trusted-types-for 'script'; trusted-types default", 'lets pass'), works);
      assert.deepEqual((await under("require-trusted-types-for 'script'; trusted-types default safelight", 'refuses')).end, works.end);
    });

    it('where no policy of ours is allowed it says what to add', async () => {
      for (const [policy, own] of [["'none'"], ['other'], ['default', 'refuses']]) {
        const { end } = await under(`require-trusted-types-for 'script'; trusted-types ${policy}`, own);
        assert.deepEqual([end.name, end.code], ['SafelightError', 'trusted_types'], policy);
        assert.match(end.message, /“trusted-types safelight”/);
      }
    });

    it('where names are listed but nothing is required it works', async () => {
      assert.deepEqual((await under('trusted-types other')).end, works.end);
    });
  });
}
