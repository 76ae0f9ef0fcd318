// The page and the command line read each other's keys and encrypted photos.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, before, after } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, cli, folder, openBrowser, startServer } from './lib/harness.mjs';
import { readSecretKey } from './lib/keys.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';

for (const name of browsers) {
  describe(`interchange in ${name}`, () => {
    const files = folder();
    const at = (file) => join(files, file);
    const photo = makePhoto(53, 37, 3, 21);
    const wanted = expected('mean', { radius: 1 }, [photo]);
    let server, browser, page, key;
    before(async () => {
      server = await startServer();
      browser = await openBrowser(name);
      page = await browser.open(server.url);
      writeFileSync(at('photo.png'), encodePng(photo));
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    it('a key of the page opens in the command line', async () => {
      await page.newKey(2048);
      key = await page.savedKey();
      assert.match(key.name, /^safelight-[0-9a-f]{8}\.key$/);
      assert.equal((await page.text('fingerprint')).split(' ')[1], readSecretKey(key.bytes).id.toString('hex'));
      await cli('pubkey', key.path, '--out', at('page.pub'));
    });

    it('a photo encrypted by the page is filtered and opened by the command line', async () => {
      await page.filter('mean', { radius: 1 });
      await page.choosePhoto(at('photo.png'));
      await page.done();
      const upload = await page.saved('upload', 0);
      const reply = await page.saved('reply', 0);
      await cli('filter', 'mean', '--radius', '1', upload.path, '--out', at('filtered.slt'));
      await cli('decrypt', '--key', key.path, at('filtered.slt'), '--out', at('cli.png'));
      await cli('decrypt', '--key', key.path, reply.path, '--out', at('reply.png'));
      await cli('decrypt', '--key', key.path, upload.path, '--out', at('upload.png'));
      assert.deepEqual(decodePng(readFileSync(at('cli.png'))), wanted);
      assert.deepEqual(decodePng(readFileSync(at('reply.png'))), wanted);
      assert.deepEqual(decodePng(readFileSync(at('upload.png'))), photo);
      assert.deepEqual(readFileSync(at('filtered.slt')), reply.bytes, 'a filter is deterministic');
    });

    it('a photo encrypted by the command line opens in the page', async () => {
      await cli('encrypt', '--key', key.path, at('photo.png'), '--out', at('from-cli.slt'), '--radius', '1');
      await cli('filter', 'mean', '--radius', '1', at('from-cli.slt'), '--out', at('from-cli-mean.slt'));
      await page.put(['from-cli-mean.slt', readFileSync(at('from-cli-mean.slt'))]);
      await page.done();
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), wanted);
      await page.put(['from-cli.slt', readFileSync(at('from-cli.slt'))]);
      await page.done();
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), photo);
    });

    it('one encrypted with the public key cannot be verified: the page opens it only if told to, and so does the command line', async () => {
      await cli('encrypt', '--key', at('page.pub'), at('photo.png'), '--out', at('others.slt'), '--radius', '1');
      await page.put(['others.slt', readFileSync(at('others.slt'))]);
      const { state, error } = await page.ended();
      assert.equal(state, 'failed');
      assert.match(error, /\[not_verifiable\]/);
      await page.click('open', 0);
      await page.done();
      assert.match(await page.text('progress-text'), /not verified/);
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), photo);
      await cli('decrypt', '--from-others', '--key', key.path, at('others.slt'), '--out', at('others.png'));
      assert.deepEqual(decodePng(readFileSync(at('others.png'))), photo);
    });

    it('a key of the command line works in the page', async () => {
      await cli('keygen', 'paillier', '--bits', '2048', '--out', at('cli.key'));
      await page.choose('open-key', at('cli.key'));
      const { id } = readSecretKey(readFileSync(at('cli.key')));
      await page.until(
        (text) => document.querySelector('[data-testid="fingerprint"]').textContent.includes(text),
        'the new fingerprint',
        { args: [id.toString('hex')] },
      );
      await page.choosePhoto(at('photo.png'));
      await page.done();
      const reply = await page.saved('reply', 0);
      await cli('decrypt', '--key', at('cli.key'), reply.path, '--out', at('again.png'));
      assert.deepEqual(decodePng(readFileSync(at('again.png'))), wanted);
      assert.deepEqual((await page.savedKey()).bytes, readFileSync(at('cli.key')));
    });

    it('complained about nothing', () => assert.deepEqual(page.complaints, []));
  });
}
