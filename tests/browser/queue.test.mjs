// Many photos: one progress bar for all, pause, cancel, saving everything at once. Also the actions on a finished photo.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateRawSync } from 'node:zlib';
import { expected } from './lib/filters.mjs';
import { browsers, folder, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';

for (const name of browsers) {
  describe(`queue in ${name}`, () => {
    const photos = [1, 2, 3].map((seed) => makePhoto(40 + seed, 30, 3, seed));
    let server, browser, page;
    before(async () => {
      server = await startServer();
      browser = await openBrowser(name);
      page = await browser.open(server.url);
      await page.newKey(2048);
      await page.filter('mean', { radius: 1 });
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });
    const total = () => page.text('total-text');

    it('pauses and goes on', async () => {
      await page.slowFilter();
      await page.put(['large.png', encodePng(makePhoto(300, 200, 3, 9))], ['next.png', encodePng(photos[0])]);
      const encrypting = () => /Encrypting, \d/.test(document.querySelectorAll('[data-testid="progress-text"]')[1].textContent);
      await page.until(encrypting, 'encryption');
      await page.click('pause');
      await page.until(() => /0 of 2 finished.*Paused/.test(document.getElementById('total-text').textContent), 'the pause');
      await sleep(700); // rows in progress are finished
      const bar = () => page.vault.evaluate(() => document.querySelectorAll('.card progress')[1].value);
      const at = await bar();
      await sleep(1500);
      assert.equal(await bar(), at, 'nothing goes on');
      await page.screenshots(`${name}-paused`);
      await page.click('pause');
      await page.until((old) => document.querySelectorAll('.card progress')[1].value > old, 'it to go on', { args: [at] });
      await page.click('cancel-all');
      assert.equal((await page.ended(0)).state, 'cancelled');
      assert.equal((await page.ended(1)).state, 'cancelled');
      await page.click('clear');
      await page.until(() => document.querySelectorAll('.card').length === 0, 'an empty list');
      await page.filter('mean', { radius: 1 });
    });

    it('saves all pictures as one file', async () => {
      await page.put(...photos.map((photo) => ['same.png', encodePng(photo)]));
      for (const card of photos.keys()) await page.done(card);
      await page.until(() => /^3 of 3 finished$/.test(document.getElementById('total-text').textContent), 'the total');
      const { name: file, bytes } = await page.saved('save-all');
      assert.equal(file, 'safelight.zip');
      const entries = unzip(bytes);
      assert.deepEqual(
        entries.map((entry) => entry.name),
        ['same-mean.png', 'same-mean (1).png', 'same-mean (2).png'],
      );
      for (const [i, photo] of photos.entries())
        assert.deepEqual(decodePng(entries[i].data), expected('mean', {}, [photo]));
      assert.equal(await total(), '3 of 3 finished');
    });

    it('compares original and result by a slider, from the keyboard too', async () => {
      const slider = await page.find('slider');
      const shown = () => page.vault.$eval('[data-testid="result"]', (canvas) => getComputedStyle(canvas).clipPath);
      const half = await shown();
      await slider.focus();
      for (let i = 0; i < 5; i++) await slider.press('ArrowRight');
      assert.notEqual(await shown(), half);
      await slider.press('End');
      assert.match(await shown(), /^inset\(0(px)?( 0(px|%)?)*\)$|calc\(0%\)/);
    });

    it('takes a whole folder', { skip: name === 'firefox' && 'the driver cannot choose folders there' }, async () => {
      await page.click('clear');
      const place = join(folder(), 'holidays');
      mkdirSync(join(place, 'day two'), { recursive: true });
      writeFileSync(join(place, 'one.png'), encodePng(photos[0]));
      writeFileSync(join(place, 'day two', 'two.png'), encodePng(photos[1]));
      await (await page.vault.$('#folder')).uploadFile(place);
      await page.until(() => document.querySelectorAll('.card[data-state="done"]').length === 2, 'both photos', { minutes: 2 });
    });

    it('cancels a photo that is paused, with no row in work', async () => {
      await page.click('clear');
      await page.slowFilter();
      await page.put(['large.png', encodePng(makePhoto(300, 200, 3, 9))]);
      const encrypting = () => /Encrypting, \d/.test(document.querySelector('[data-testid="progress-text"]').textContent);
      await page.until(encrypting, 'encryption');
      await page.click('pause');
      const bar = () => page.vault.evaluate(() => document.querySelector('.card progress').value);
      for (let before = -1; before !== (await bar()); await sleep(1500)) before = await bar();
      await page.click('cancel');
      assert.equal((await page.ended()).state, 'cancelled');
      await page.click('pause'); // resumes
      await page.filter('mean', { radius: 1 });
    });

    it('goes by the keyboard alone', async () => {
      await page.click('clear');
      await (await page.find('sample')).press('Enter');
      await page.until(() => document.querySelectorAll('.card').length > 0, 'the sample photo');
      await (await page.find('pause')).press('Enter'); // so that it does not finish too early
      await (await page.find('sample')).focus();
      const wanted = ['cancel', 'pause', 'save-key', 'rename-key'];
      const reached = [];
      // No further than needed: beyond the vault's last element, the keyboard belongs to the browser.
      while (reached.length < 40 && !wanted.every((testid) => reached.includes(testid))) {
        await page.page.keyboard.press('Tab');
        reached.push(await page.vault.evaluate(() => document.activeElement?.dataset?.testid ?? ''));
      }
      for (const testid of wanted) assert.ok(reached.includes(testid), `${testid}: ${reached}`);
      await (await page.find('cancel')).press('Enter');
      assert.equal((await page.ended()).state, 'cancelled');
    });

    it('complained about nothing', () => assert.deepEqual(page.complaints, []));
  });
}

/** The files of a zip archive, read from its central directory. */
function unzip(bytes) {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = bytes.readUInt32LE(end + 16);
  return Array.from({ length: bytes.readUInt16LE(end + 10) }, () => {
    const [method, size] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [names, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    const local = bytes.readUInt32LE(at + 42);
    const name = bytes.subarray(at + 46, at + 46 + names).toString();
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    at += 46 + names + extra + comment;
    const data = bytes.subarray(start, start + size);
    return { name, data: method === 0 ? data : inflateRawSync(data) };
  });
}
