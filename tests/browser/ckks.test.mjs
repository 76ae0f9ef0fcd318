// Encrypted vectors (CKKS): the same bytes as natively from the same seed, round trips and key files with the class API,
// evaluation keys made in a page and uploaded over a connection that breaks, cancelling, and memory.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startCutter } from './lib/cutter.mjs';
import { serveFiles } from './lib/files.mjs';
import { browsers, openBrowser, pageFolder, root, startServer, vaultFolder } from './lib/harness.mjs';

const BUILDS = ['safelight_ckks_relaxed.wasm', 'safelight_ckks_bg.wasm'];
const MOST_MEMORY = 512 * 2 ** 20;
const cases = JSON.parse(readFileSync(join(root, 'tests/vectors/ckks-seeded.json')));

for (const name of browsers) {
  describe(`encrypted vectors in ${name}`, () => {
    let files, server, browser, page;
    before(async () => {
      files = await serveFiles({ vault: vaultFolder, page: pageFolder, test: join(root, 'tests/browser/ckks') });
      server = await startServer('--allow-origin', files.url);
      browser = await openBrowser(name);
      ({ page } = await browser.open(`${files.url}/test/index.html`, { ready: false }));
      await page.waitForFunction(() => document.documentElement.dataset.ready);
      await page.evaluate(async () => {
        window.safelight = await window.Safelight.open();
        window.ckks = await window.safelight.ckks();
      });
    });
    after(async () => {
      await page?.evaluate(() => window.safelight.close());
      await browser?.close();
      await server?.stop();
      files?.close();
    });

    const inWorker = (file, task) => page.evaluate((args) => window.inWorker(args), { file, task });

    for (const file of BUILDS) {
      for (const { sha256, ...task } of cases) {
        it(`${file}: set ${task.set}, the bytes that every machine makes of a seed`, { timeout: 300_000 }, async (t) => {
          const made = await inWorker(file, { what: 'seeded', ...task });
          assert.deepEqual(made.sha256, sha256);
          assert.ok(made.far < 1e-4, `${made.far}`);
          t.diagnostic(`${made.arithmetic}, ${(made.memory / 2 ** 20).toFixed(0)} MiB`);
        });
      }
    }

    for (const file of BUILDS) {
      it(`${file}: the largest evaluation keys are made within the memory`, { timeout: 300_000 }, async (t) => {
        const { bytes, memory: first } = await inWorker(file, { what: 'newKey', set: 'bootstrap-16' });
        const { begin, each, length, memory, arithmetic } = await inWorker(file, { what: 'cost', bytes, times: 3 });
        t.diagnostic(
          `${arithmetic}: ready in ${begin.toFixed(2)} s, a key of ${length} bytes in ${each.map((s) => s.toFixed(2)).join(', ')} s, ` +
            `${(memory / 2 ** 20).toFixed(0)} MiB, ${(first / 2 ** 20).toFixed(0)} MiB to make the secret key`,
        );
        assert.ok(Math.max(memory, first) < MOST_MEMORY, `${memory}, ${first}`);
      });
    }

    it('needs a key', async () => {
      const codes = await page.evaluate(async () => [
        await window.code(window.ckks.encrypt([1])),
        await window.code(window.ckks.decrypt(new Blob(['x']))),
        await window.code(window.ckks.evaluationKeys([{ purpose: 'products' }])),
        await window.code(window.ckks.newKey('large')),
      ]);
      assert.deepEqual(codes, ['foreign_key', 'foreign_key', 'foreign_key', 'unknown_parameters']);
    });

    it('numbers go in and come out', async () => {
      const { facts, far, lengths, inUse } = await page.evaluate(async () => {
        const { publicKey, ...facts } = await window.ckks.newKey('small', { name: 'numbers' });
        const values = Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 50);
        const file = await window.ckks.encrypt(values);
        const opened = await window.ckks.decrypt(file);
        const one = await window.ckks.decrypt(await window.ckks.encrypt([7], { slots: 8, level: 0 }));
        const far = Math.max(...values.map((value, i) => Math.abs(value - opened[i])), Math.abs(one[0] - 7), Math.abs(one[7]));
        const kinds = [await window.safelight.kind(file), await window.safelight.kind(publicKey)];
        return { facts, far, lengths: [opened.length, one.length, ...kinds], inUse: window.safelight.ckksKey };
      });
      assert.deepEqual([facts.kind, facts.set, facts.name, facts.fingerprint.length], ['ckks', 'small', 'numbers', 32]);
      assert.deepEqual(inUse, facts);
      assert.ok(far < 1e-5, `${far}`);
      assert.deepEqual(lengths, [1024, 8, 'ciphertext', 'ckks_public_key']);
    });

    it('the key file goes out and comes in, under a passphrase too', async () => {
      const { kinds, same, codes } = await page.evaluate(async () => {
        const { safelight, ckks } = window;
        const { fingerprint } = safelight.ckksKey;
        const file = await ckks.encrypt([1, 2]);
        const bare = await safelight.exportKey({ kind: 'ckks' });
        const closed = await safelight.exportKey({ kind: 'ckks', passphrase: 'several words' });
        const kinds = [await safelight.kind(bare), await safelight.kind(closed)];
        await ckks.newKey('small');
        const codes = [await window.code(ckks.decrypt(file))];
        await safelight.useKey(fingerprint);
        codes.push(await window.code(ckks.decrypt(file)));
        await safelight.deleteKey(fingerprint);
        codes.push(await window.code(ckks.decrypt(file)));
        const { set } = await safelight.openKey(closed, { passphrase: 'several words' });
        codes.push(await window.code(ckks.decrypt(file)));
        await safelight.openKey(bare);
        return { kinds, same: [set, safelight.ckksKey.fingerprint === fingerprint], codes };
      });
      assert.deepEqual(kinds, ['ckks_secret_key', 'protected_key']);
      assert.deepEqual(same, ['small', true]);
      assert.deepEqual(codes, ['foreign_key', 'none', 'foreign_key', 'none']);
    });

    it('a browser keeps the key where it is asked to', async () => {
      const kept = await page.evaluate(async () => {
        const first = await window.Safelight.open({ remember: true });
        const { fingerprint } = await (await first.ckks()).newKey('small', { name: 'kept' });
        const file = await (await first.ckks()).encrypt([3]);
        first.close();
        const again = await window.Safelight.open({ remember: true });
        const [number] = await (await again.ckks()).decrypt(file);
        const { set, name, stored } = again.ckksKey;
        const same = again.ckksKey.fingerprint === fingerprint;
        await again.deleteKey(fingerprint);
        const left = again.keys.length;
        again.close();
        return { set, name, stored, same, left, number: Math.round(number) };
      });
      assert.deepEqual(kept, { set: 'small', name: 'kept', stored: true, same: true, left: 0, number: 3 });
    });

    it('refuses invalid arguments', async () => {
      const codes = await page.evaluate(async () => {
        const { ckks, code } = window;
        return [
          await code(ckks.encrypt([1, 2, 3], { slots: 2 })),
          await code(ckks.encrypt([1], { slots: 3 })),
          await code(ckks.encrypt([1], { level: 4 })),
          await code(ckks.encrypt([1], { level: -1 })),
          await code(ckks.encrypt([Infinity])),
          await code(ckks.decrypt(new Blob(['no vector, whatever reads it, and long enough']))),
          await code(ckks.decrypt('vector.slt')),
          await code(ckks.evaluationKeys([])),
          await code(ckks.evaluationKeys('products')),
          await code(ckks.evaluationKeys([null])),
          await code(ckks.evaluationKeys([{ purpose: 'divisions' }])),
          await code(ckks.evaluationKeys([{ purpose: 'rotation', steps: 0 }])),
          await code(ckks.evaluationKeys([{ purpose: 'rotation', steps: 0.5 }])),
          await code(ckks.evaluationKeys([{ purpose: 'automorphism', element: 4 }])),
          await code(ckks.evaluationKeys([{ purpose: 'products', level: 9 }])),
          await code(ckks.evaluationKeys([{ purpose: 'bootstrapping', slots: 8 }])),
        ];
      });
      const bad = (count) => Array(count).fill('bad_argument');
      assert.deepEqual(codes, [...bad(4), 'plaintext_out_of_range', 'not_safelight', ...bad(10)]);
    });

    it('uploads evaluation keys to a server over a connection that breaks', { timeout: 300_000 }, async () => {
      const cuts = [300_000, 1000, 1_500_000, 700_000];
      const cutter = await startCutter(server.url, cuts);
      try {
        const { bytes, key, described, progress, deleted, again } = await page.evaluate(async (url) => {
          const { fingerprint: key } = await window.ckks.newKey('leveled-14');
          const wanted = [
            { purpose: 'products' },
            { purpose: 'products', level: 2 },
            { purpose: 'rotation', steps: 1, level: 3 },
            { purpose: 'rotation', steps: -1 },
            { purpose: 'conjugation', level: 1 },
          ];
          const keys = await window.ckks.evaluationKeys(wanted);
          const { bytes } = keys;
          const progress = [];
          const server = new window.Server(url);
          const id = await server.uploadKeys(keys, { onProgress: (step) => progress.push(step) });
          const described = await (await fetch(`${url}/v1/keys/${id}`)).json();
          await server.deleteKeys(id);
          const deleted = (await fetch(`${url}/v1/keys/${id}`)).status;
          const again = await window.code((async () => { for await (const piece of keys) piece.size; })());
          return { bytes, key, described, progress, deleted, again };
        }, cutter.url);
        assert.equal(cutter.left(), 0, 'the line broke as often as it should');
        const { state, parameters, key: owner, keys } = described;
        assert.deepEqual([state, parameters, owner, described.bytes], ['ready', 'leveled-14', key, bytes]);
        assert.deepEqual(
          keys.map(({ purpose, steps, level }) => [purpose, steps, level].filter((fact) => fact !== undefined).join(' ')).sort(),
          ['conjugation 1', 'products 2', 'products 7', 'rotation 1 3', 'rotation 8191 7'],
        );
        assert.ok(progress.every(({ phase, done, total }) => phase === 'upload' && done <= total && total === bytes));
        assert.equal(progress.at(-1).done, bytes);
        assert.deepEqual([deleted, again], [404, 'bad_argument']);
      } finally {
        await cutter.stop();
      }
    });

    it('can be cancelled, and leaves no worker behind', async () => {
      const { codes, living, held } = await page.evaluate(async (url) => {
        const { ckks, code } = window;
        const server = new window.Server(url);
        const codes = [];
        // In the middle of an upload.
        let stop = new AbortController();
        const wanted = Array.from({ length: 40 }, (_, i) => ({ purpose: 'rotation', steps: i + 1 }));
        const onProgress = ({ done }) => done > 3_000_000 && stop.abort();
        const keys = await ckks.evaluationKeys(wanted, { signal: stop.signal });
        codes.push(await code(server.uploadKeys(keys, { signal: stop.signal, onProgress })));
        // Before it begins.
        codes.push(await code(ckks.evaluationKeys(wanted, { signal: AbortSignal.abort() })));
        // By leaving the loop early.
        let pieces = 0;
        for await (const piece of await ckks.evaluationKeys(wanted)) if (piece.size > 0 && ++pieces === 3) break;
        // By dropping the key.
        const going = (async () => { for await (const piece of await ckks.evaluationKeys(wanted)) if (piece.size > 1e5) await window.safelight.dropKey('ckks'); })();
        codes.push(await code(going));
        const living = window.counted.living();
        return { codes, living, held: pieces };
      }, server.url);
      assert.deepEqual(codes, ['cancelled', 'cancelled', 'cancelled']);
      assert.deepEqual([living, held], [1, 3], 'the keeper alone is left');
    });
  });
}
