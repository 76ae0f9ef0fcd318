// The vault as the package prepares it for hosting: with the headers of our own server, and with all steps of a photo between
// a site with the element, the vault on another origin, and a server that filters.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { folder, openBrowser } from '../browser/lib/harness.mjs';
import { makePhoto } from '../browser/lib/photos.mjs';
import { encodePng } from '../browser/lib/png.mjs';
import { pageFolder, project, serveFiles, startServer, vaultFolder } from './lib/project.mjs';

describe('the vault of the package', () => {
  const { place, installed } = project('app');
  const vault = join(folder(), 'vault');
  const layOut = (...args) => promisify(execFile)(process.execPath, [join(installed, 'bin/vault.js'), ...args]);
  let site, server, browser;
  before(async () => {
    site = await serveFiles(place);
    server = await startServer('--allow-origin', '*');
    browser = await openBrowser('chromium');
    await layOut(vault, '--embedder', new URL(site.url).origin);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await site?.stop();
  });

  it('has the files of the vault that was built', () => {
    const files = (of) => readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const names = (of) => files(of).map(({ name }) => name).filter((name) => !/\.d\.ts$|^_headers$/.test(name));
    assert.deepEqual(names(vault).sort(), names(vaultFolder).sort());
  });

  it('refuses invalid origins', async () => {
    await assert.rejects(layOut(vault, '--embedder', 'photos.example'), /is no origin/);
    await assert.rejects(layOut(vault), /--embedder/);
  });

  it('is sent with the headers that our server sends', async (t) => {
    const embedder = 'http://127.0.0.1:9';
    const ours = await startServer('--page', pageFolder, '--vault', vaultFolder, '--embedder', embedder);
    t.after(() => ours.stop());
    const answer = await fetch(ours.url.replace('127.0.0.1', 'localhost'));
    await layOut(vault, '--embedder', embedder);
    const wanted = headers(vault);
    await layOut(vault, '--embedder', new URL(site.url).origin);
    const sent = Object.fromEntries(Object.keys(wanted).map((name) => [name, answer.headers.get(name)]));
    assert.deepEqual(sent, wanted);
    const nginx = readFileSync(`${vault}.nginx.conf`, 'utf8');
    for (const name of Object.keys(wanted)) assert.match(nginx, new RegExp(`^add_header ${name} ".*" always;$`, 'm'));
  });

  it('works with the element of the package on another site', async (t) => {
    const host = await serveFiles(vault, { host: 'localhost', headers: headers(vault) });
    t.after(() => host.stop());
    const addresses = new URLSearchParams({ server: server.url, vault: host.url });
    const visit = await browser.open(`${site.url}plain.html?${addresses}`, { ready: false });
    await visit.page.waitForFunction(() => globalThis.element?.vault);
    const frame = visit.page.frames().find((one) => one.url() === host.url);
    const done = visit.page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          globalThis.element.addEventListener('done', ({ detail }) => resolve([detail.width, detail.height, detail.reply.size]));
          globalThis.element.addEventListener('error', ({ detail }) => reject(new Error(detail.code)));
        }),
    );
    await frame.$eval('[data-testid="bits"]', (field) => (field.value = '2048'));
    const drop = (list) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array(list)], 'photo.png'));
      const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
      document.querySelector('[data-testid="drop"]').dispatchEvent(event);
    };
    await frame.evaluate(drop, [...encodePng(makePhoto(31, 23, 3, 9))]);
    const [width, height, size] = await done;
    assert.deepEqual([width, height], [31, 23]);
    assert.ok(size > 1000);
    assert.deepEqual(visit.complaints, []);
  });
});

/** The headers in the file `_headers`. */
function headers(vault) {
  const lines = readFileSync(join(vault, '_headers'), 'utf8').trimEnd().split('\n').slice(1);
  return Object.fromEntries(lines.map((line) => line.trim().split(/: (.*)/s).slice(0, 2)));
}
