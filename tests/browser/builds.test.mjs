// The page uses the best build of the WebAssembly module that works in the browser, and fetches no worse one.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, before, afterEach } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, cli, folder, openBrowser, root, serve, vaultFolder } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';
import { startRecorder } from './lib/recorder.mjs';

const RELAXED = '/client/pkg/safelight_relaxed.wasm';
const BASELINE = '/client/pkg/safelight_bg.wasm';

// Whether a browser supports relaxed SIMD: a function with i32x4.relaxed_trunc_f32x4_s, on i32x4.splat of 0.
const knowsRelaxed = () =>
  WebAssembly.validate(
    Uint8Array.of(
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
      ...[10, 11, 1, 9, 0, 0x41, 0, 0xfd, 0x11, 0xfd, 0x81, 0x02, 0x0b],
    ),
  );
const knowNothing = () => (WebAssembly.validate = () => false);

// Ways to damage a file: functions that change its bytes.
const missing = () => null;
const damaged = (bytes) => bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 64);
const miscalculating = (bytes) => {
  const source = readFileSync(join(root, 'src/math/check.rs'), 'utf8');
  const [, answer] = /const ANSWER: &str = "([0-9a-f]{64})"/.exec(source);
  const at = bytes.indexOf(answer);
  assert.ok(at > 0, 'the known answer is not in the file');
  bytes[at] ^= 1; // to the self-test, a wrong answer looks like wrong arithmetic
  return bytes;
};

// [title, changed files, a script that runs before the page's, the files fetched by a browser that supports relaxed SIMD]
const cases = [
  ['the best one', {}, undefined, [RELAXED]],
  ['the baseline where relaxed SIMD is unknown', {}, knowNothing, [BASELINE]],
  ['the next one where a file is missing', { [RELAXED]: missing }, undefined, [RELAXED, BASELINE]],
  ['the next one where a file is damaged', { [RELAXED]: damaged }, undefined, [RELAXED, BASELINE]],
  ['the next one where the self-test fails', { [RELAXED]: miscalculating }, undefined, [RELAXED, BASELINE]],
];

for (const name of browsers) {
  describe(`builds in ${name}`, () => {
    const photo = makePhoto(29, 22, 3, 41);
    const key = join(folder(), 'my.key');
    let server, recorder, browser;
    before(() => cli('keygen', 'paillier', '--bits', '2048', '--out', key));
    afterEach(async () => {
      await browser?.close();
      await recorder?.stop();
      await server?.stop();
      server = recorder = browser = undefined;
    });

    /** Opens the page of a server on which some files are changed. */
    async function open(changes, options) {
      const vault = join(folder(), 'vault');
      cpSync(vaultFolder, vault, { recursive: true });
      for (const [file, change] of Object.entries(changes)) {
        const bytes = change(readFileSync(join(vault, file)));
        if (bytes) writeFileSync(join(vault, file), bytes);
        else rmSync(join(vault, file));
      }
      server = await serve({ vault });
      recorder = await startRecorder(server.url);
      browser = await openBrowser(name, { proxy: recorder.port });
      return browser.open(server.url, options);
    }

    /** The files of the first module that were fetched. The client of a server has no builds to choose from. */
    const fetched = () =>
      recorder.requests
        .filter((line) => line.endsWith('.wasm'))
        .map((line) => new URL(line.split(' ')[1]).pathname)
        .filter((path) => [RELAXED, BASELINE].includes(path));

    for (const [title, changes, first, files] of cases) {
      it(`takes ${title}`, async () => {
        const page = await open(changes, { first });
        const wanted = first || (await page.vault.evaluate(knowsRelaxed)) ? files : [BASELINE];
        assert.deepEqual(fetched(), wanted);
        const variant = wanted.at(-1) === RELAXED ? 'relaxed' : 'baseline';
        assert.match(await page.text('arithmetic'), new RegExp(`Arithmetic: [a-z0-9-]+, ${variant} build\\.$`));

        await page.choose('open-key', key);
        await page.until(() => / bits/.test(document.getElementById('key-state').textContent), 'a key');
        await page.filter('sharpen');
        await page.put(['photo.png', encodePng(photo)]);
        await page.done();
        assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), expected('sharpen', {}, [photo]));
        assert.deepEqual(fetched(), wanted, 'the workers use the build that is there');
      });
    }

    it('says so where none works', async () => {
      const page = await open({ [RELAXED]: miscalculating, [BASELINE]: miscalculating }, { ready: false });
      await page.until(() => document.querySelector('[data-testid="message"]').textContent, 'a message');
      assert.match(await page.text('message'), /another browser.*\[bad_arithmetic\]/);
      assert.equal(await page.vault.$eval('[data-testid="photos"]', (element) => element.disabled), true);
    });
  });
}
