// Scrambled pictures (obfuscated, not encrypted) with the class API: the same bytes as the command line's, keys and pictures
// exchanged with it, cancelling, and how long a photo of 12 megapixels takes.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { browsers, cli, folder, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';

const PASSPHRASE = 'several words, none of them rare';

// [form, block, width, height, channels, options of the JPEG file]
const cases = [
  ['colour', undefined, 64, 48, 3, {}],
  ['colour', 4, 61, 47, 3, { quality: 30 }],
  ['colour', 64, 17, 130, 3, { subsampling: '420' }],
  ['colour', 7, 50, 33, 1, { quality: 100 }],
  ['grey', undefined, 45, 101, 3, {}],
  ['grey', 16, 40, 40, 1, { quality: 1 }],
  ['grey-420', undefined, 99, 31, 3, { subsampling: '422' }],
  ['grey-420', 5, 33, 70, 3, {}],
];

for (const name of browsers) {
  describe(`scrambled pictures in ${name}`, () => {
    const files = folder();
    const at = (file) => join(files, file);
    const photo = makePhoto(61, 47, 3, 33);
    let server, browser, page;
    before(async () => {
      server = await startServer();
      browser = await openBrowser(name);
      page = await browser.open(server.url);
      await cli('keygen', 'etc', '--out', at('cli.key'));
      writeFileSync(at('photo.png'), encodePng(photo));
      await page.vault.evaluate(async () => {
        const { Safelight } = await import(new URL('client/safelight.js', location.href).href);
        window.etc = await Safelight.open();
        window.packed = async (file) => {
          const bytes = new Uint8Array(await file.arrayBuffer());
          let text = '';
          for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
          return btoa(text);
        };
        window.unpacked = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        window.code = (promise) => promise.then(() => 'none', ({ code }) => code);
      });
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    const text = (bytes) => Buffer.from(bytes).toString('base64');
    const openKey = (bytes, passphrase) =>
      page.vault.evaluate((file, words) => window.etc.openKey(window.unpacked(file), { passphrase: words }), text(bytes), passphrase);
    const exportKey = async (passphrase) =>
      Buffer.from(
        await page.vault.evaluate(async (words) => window.packed(await window.etc.exportKey({ kind: 'etc', passphrase: words })), passphrase ?? null),
        'base64',
      );
    /** Scrambles; returns the facts, and the file as bytes. */
    const scramble = async (bytes, settings) => {
      const { file, ...facts } = await page.vault.evaluate(
        async (picture, options) => {
          const made = await window.etc.scramble(window.unpacked(picture), options);
          return { ...made, type: made.file.type, file: await window.packed(made.file) };
        },
        text(bytes),
        settings,
      );
      return { ...facts, file: Buffer.from(file, 'base64') };
    };
    const unscramble = async (bytes, label) => {
      const png = await page.vault.evaluate(
        async (picture, line) => window.packed((await window.etc.unscramble(window.unpacked(picture), { label: line ?? undefined })).png),
        text(bytes),
        label ?? null,
      );
      return decodePng(Buffer.from(png, 'base64'));
    };

    it('needs a key', async () => {
      const codes = await page.vault.evaluate(async () => [
        await window.code(window.etc.scramble(new Blob(['x']))),
        await window.code(window.etc.unscramble(new Blob(['x']))),
        await window.code(window.etc.exportKey({ kind: 'etc' })),
      ]);
      assert.deepEqual(codes, ['foreign_key', 'foreign_key', 'foreign_key']);
    });

    it('takes a key of the command line, and gives it back as it was', async () => {
      const key = readFileSync(at('cli.key'));
      const facts = await openKey(key);
      assert.equal(facts.kind, 'etc');
      assert.equal(facts.fingerprint, key.subarray(16, 24).toString('hex'), 'the key id of the file');
      assert.deepEqual(await exportKey(), key);
    });

    for (const [form, block, width, height, channels, jpeg] of cases) {
      it(`writes the command line’s very bytes: ${form} ${block ?? ''} ${width}x${height}x${channels}`, async () => {
        const png = encodePng(makePhoto(width, height, channels, width));
        writeFileSync(at('clear.png'), png);
        const common = ['etc', 'encrypt', '--key', at('cli.key'), at('clear.png'), '--fixed-key', '--form', form];
        if (block) common.push('--block', String(block));
        await cli(...common, '--out', at('theirs.png'));
        await cli(...common, '--out', at('theirs.jpg'), ...Object.entries(jpeg).flatMap(([key, value]) => [`--${key}`, String(value)]));
        const settings = { form, block, fixedKey: true };
        const ours = await scramble(png, { ...settings, type: 'image/png' });
        assert.deepEqual(ours.file, readFileSync(at('theirs.png')));
        assert.deepEqual((await scramble(png, { ...settings, ...jpeg })).file, readFileSync(at('theirs.jpg')));
        const { stdout } = await cli('etc', 'label', at('theirs.png'));
        assert.equal(ours.label, stdout.trim());
        assert.equal(ours.resistance, 'falls', 'a fixed key');
        await cli('etc', 'decrypt', '--key', at('cli.key'), at('theirs.jpg'), '--out', at('opened.png'));
        assert.deepEqual(await unscramble(readFileSync(at('theirs.jpg'))), decodePng(readFileSync(at('opened.png'))));
      });
    }

    it('pictures with a nonce of their own open here and there', async () => {
      const [a, b] = [await scramble(encodePng(photo), { type: 'image/png' }), await scramble(encodePng(photo), { type: 'image/png' })];
      assert.notDeepEqual(a.file, b.file);
      assert.equal(a.resistance, 'falls', 'twelve blocks');
      assert.equal((await scramble(encodePng(photo), { block: 8 })).resistance, 'shows', '48 blocks');
      assert.notDeepEqual(decodePng(a.file), decodePng(b.file));
      writeFileSync(at('ours.png'), a.file);
      await cli('etc', 'decrypt', '--key', at('cli.key'), at('ours.png'), '--out', at('opened.png'));
      assert.deepEqual(decodePng(readFileSync(at('opened.png'))), photo);
      await cli('etc', 'encrypt', '--key', at('cli.key'), at('photo.png'), '--out', at('theirs.png'));
      assert.deepEqual(await unscramble(readFileSync(at('theirs.png'))), photo);
      // As if a site had dropped the label.
      const bare = encodePng(decodePng(a.file));
      assert.deepEqual(await unscramble(bare, a.label), photo);
      assert.equal(await page.vault.evaluate((file) => window.code(window.etc.unscramble(window.unpacked(file))), text(bare)), 'bad_header');
    });

    it('scrambles a photo that was read, and one that only the browser reads', async () => {
      const equal = await page.vault.evaluate(async (png) => {
        const settings = { fixedKey: true, type: 'image/png' };
        const photo = await window.etc.read(window.unpacked(png));
        const kept = await window.packed((await window.etc.scramble(photo, settings)).file);
        photo.free();
        const canvas = new OffscreenCanvas(photo.width, photo.height);
        canvas.getContext('2d').putImageData(new ImageData(photo.rgba, photo.width, photo.height), 0, 0);
        const webp = await canvas.convertToBlob({ type: 'image/webp', quality: 1 });
        const { notices, width } = await window.etc.scramble(webp, settings);
        return [kept === (await window.packed((await window.etc.scramble(window.unpacked(png), settings)).file)), webp.type, notices, width];
      }, text(encodePng(photo)));
      assert.deepEqual(equal, [true, 'image/webp', [], 64]);
    });

    it('a key made here opens in the command line, protected or not', async () => {
      const facts = await page.vault.evaluate(() => window.etc.newEtcKey({ name: 'faces' }));
      assert.deepEqual([facts.kind, facts.name, facts.fingerprint.length], ['etc', 'faces', 16]);
      writeFileSync(at('ours.key'), await exportKey());
      writeFileSync(at('ours.age'), await exportKey(PASSPHRASE));
      writeFileSync(at('passphrase'), PASSPHRASE);
      writeFileSync(at('ours.png'), (await scramble(encodePng(photo), { type: 'image/png' })).file);
      for (const key of [[at('ours.key')], [at('ours.age'), '--passphrase-file', at('passphrase')]]) {
        await cli('etc', 'decrypt', at('ours.png'), '--out', at('opened.png'), '--key', ...key);
        assert.deepEqual(decodePng(readFileSync(at('opened.png'))), photo);
      }
      assert.equal((await openKey(readFileSync(at('ours.age')), PASSPHRASE)).fingerprint, facts.fingerprint);
      const wrong = (file) => page.vault.evaluate((key) => window.code(window.etc.openKey(window.unpacked(key), { passphrase: 'x' })), text(file));
      assert.equal(await wrong(readFileSync(at('ours.age'))), 'wrong_passphrase');
    });

    it('keys of both kinds lie side by side, one of each in use', async () => {
      const { key, etcKey, kinds, foreign, back } = await page.vault.evaluate(async () => {
        const { etc } = window;
        await etc.newKey(2048);
        const faces = etc.etcKey;
        const other = etc.keys.find(({ kind, fingerprint }) => kind === 'etc' && fingerprint !== faces.fingerprint);
        const { file } = await etc.scramble(await (await etc.exportKey(), new Blob([window.unpacked(window.png)])), { type: 'image/png' });
        await etc.useKey(other.fingerprint);
        const foreign = await window.code(etc.unscramble(file));
        await etc.dropKey('etc');
        const dropped = etc.etcKey;
        await etc.useKey(faces.fingerprint);
        const back = await window.code(etc.unscramble(file));
        await etc.deleteKey(other.fingerprint);
        return { key: etc.key.kind, etcKey: [dropped, etc.etcKey.name], kinds: etc.keys.map(({ kind }) => kind), foreign, back };
      }, await page.vault.evaluate((png) => (window.png = png), text(encodePng(photo))));
      assert.deepEqual([key, etcKey, kinds, foreign, back], ['paillier', [null, 'faces'], ['etc', 'paillier'], 'foreign_key', 'none']);
    });

    it('refuses invalid settings', async () => {
      const codes = await page.vault.evaluate(async (png) => {
        const tried = (settings) => window.code(window.etc.scramble(window.unpacked(png), settings));
        return [
          await tried({ form: 'sepia' }),
          await tried({ block: 3 }),
          await tried({ block: 65 }),
          await tried({ quality: 0 }),
          await tried({ subsampling: '411' }),
          await tried({ type: 'image/webp' }),
          await window.code(window.etc.scramble(new Blob(['no photo, whatever reads it']))),
        ];
      }, text(encodePng(photo)));
      assert.deepEqual(codes, [...Array(6).fill('bad_argument'), 'unsupported_image']);
    });

    it('a photo of 12 megapixels: how long, and cancelled', { timeout: 300_000 }, async () => {
      const large = await page.vault.evaluate(async () => {
        const { width, height } = { width: 4000, height: 3000 };
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d');
        const slope = context.createLinearGradient(0, 0, width, height);
        for (let i = 0; i <= 20; i++) slope.addColorStop(i / 20, `hsl(${i * 37} 60% ${30 + ((i * 13) % 40)}%)`);
        context.fillStyle = slope;
        context.fillRect(0, 0, width, height);
        for (let i = 0; i < 4000; i++) {
          context.fillStyle = `hsl(${i * 7} 50% 50%)`;
          context.fillRect((i * 997) % width, (i * 613) % height, 5 + (i % 60), 3 + (i % 40));
        }
        window.large = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
        const results = [];
        for (const [form, type] of [['colour', 'image/jpeg'], ['grey-420', 'image/jpeg'], ['colour', 'image/png']]) {
          const times = [];
          const onProgress = () => times.push(performance.now());
          await window.etc.scramble(window.large, { form, type, onProgress });
          results.push([form, type, ...times.slice(1).map((time, i) => time - times[i])]);
        }
        const stop = new AbortController();
        const onProgress = ({ done }) => done === 1 && stop.abort();
        const code = await window.code(window.etc.scramble(window.large, { signal: stop.signal, onProgress }));
        return { results, code, bytes: window.large.size };
      });
      for (const [form, type, read, scrambled, written] of large.results) {
        const seconds = (time) => (time / 1000).toFixed(2);
        console.log(
          `${name}: 12 megapixels (a JPEG file of ${large.bytes} bytes), ${form}, to ${type}: read in ${seconds(read)} s, ` +
            `scrambled in ${seconds(scrambled)} s, written in ${seconds(written)} s`,
        );
      }
      assert.equal(large.code, 'cancelled');
      assert.ok((await scramble(encodePng(photo), {})).file.length > 1000, 'it goes on working');
    });

    it('complained about nothing', () => assert.deepEqual(page.complaints, []));
  });
}
