// Failures are explained clearly, with their code, and the page keeps working.

import assert from 'node:assert/strict';
import { describe, it, before, after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { expected } from './lib/filters.mjs';
import { browsers, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { bombPng, decodePng, encodePng } from './lib/png.mjs';
import { startRecorder } from './lib/recorder.mjs';

const PANIC_WIDTH = 13; // photos of this width make the planted worker die
const plantedPanic = `
  let doomed = false;
  const { encryptor, encryptRow } = ops;
  ops.encryptor = (job) => {
    doomed = job.photo.width === ${PANIC_WIDTH};
    return encryptor(job);
  };
  ops.encryptRow = (job) => {
    if (doomed) throw new WebAssembly.RuntimeError('unreachable');
    return encryptRow(job);
  };`;

/** The bytes with one bit flipped; `at` may count from the end. */
function flipped(bytes, at) {
  const copy = Buffer.from(bytes);
  copy[at < 0 ? copy.length + at : at] ^= 64;
  return copy;
}

for (const name of browsers) {
  describe(`failures in ${name}`, () => {
    const photo = makePhoto(34, 27, 3, 31);
    const png = encodePng(photo);
    let server, recorder, browser, page, reply;
    let held = null; // while this is a promise, the page gets no answers about its jobs
    before(async () => {
      server = await startServer();
      recorder = await startRecorder(server.url, {
        rewrite: (path, text) => (path === '/client/schemes/paillier/compute.js' ? text + plantedPanic : text),
        hold: (path, method) => method === 'GET' && /\/v1\/jobs\/[^/]+$/.test(path) && held,
      });
      browser = await openBrowser(name, { proxy: recorder.port });
      page = await browser.open(server.url);
      await page.newKey(2048);
      await page.filter('mean', { radius: 1 });
      reply = await works();
    });
    after(async () => {
      await browser?.close();
      await recorder?.stop();
      await server?.stop();
    });

    /** Checks that the page works: filters a photo and returns the encrypted result. */
    async function works() {
      await page.put(['good.png', png]);
      await page.done();
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), expected('mean', {}, [photo]));
      const { bytes } = await page.saved('reply', 0);
      await page.click('remove', 0);
      return bytes;
    }

    const hostile = [
      ['a photo cut short', () => png.subarray(0, png.length / 2), 'damaged_image'],
      ['a photo with a flipped bit', () => flipped(png, 60), 'damaged_image'],
      ['a bomb of 60,000 x 60,000 pixels', () => bombPng(60000, 60000), 'image_too_large'],
      ['a text', () => Buffer.from('I am not a photo, I only say so.'), 'unsupported_image'],
      ['an empty file', () => Buffer.alloc(0), 'unsupported_image'],
      ['an encrypted photo cut short', () => reply.subarray(0, reply.length - 700), 'truncated'],
      [
        'an encrypted photo with bytes after its end',
        () => Buffer.concat([reply, Buffer.from('more')]),
        'trailing_data',
      ],
      ['an encrypted photo with a flipped bit in a row', () => flipped(reply, -100), 'damaged'],
      ['an encrypted photo with a flipped bit in the header', () => flipped(reply, 40), 'damaged'],
      [
        'an encrypted photo of a newer version',
        () => Buffer.concat([reply.subarray(0, 8), Buffer.from([9]), reply.subarray(9)]),
        'unsupported_version',
      ],
    ];
    for (const [title, make, code] of hostile) {
      it(title, async () => {
        await page.drop([`${code}.bin`, make()]);
        const where = await page.until(
          (wanted) => {
            const texts = [...document.querySelectorAll('[data-testid="error"], [data-testid="message"]')].map(
              (e) => e.textContent,
            );
            return (
              texts.find((text) => text.includes(wanted)) ??
              (texts.find((text) => text.length > 0) && `instead: ${texts}`)
            );
          },
          `[${code}]`,
          { args: [`[${code}]`] },
        );
        assert.ok(where.includes(`[${code}]`) && !where.startsWith('instead'), where);
        assert.ok(where.length > code.length + 20, `"${where}" says too little`);
        await page.vault.evaluate(() =>
          document.querySelectorAll('[data-testid="remove"]:enabled').forEach((button) => button.click()),
        );
        await page.vault.evaluate(() => (document.querySelector('[data-testid="message"]').textContent = ''));
      });
    }
    it('works after all that', () => works());

    it('bad filter parameters', async () => {
      await page.filter('mean', { radius: 1, size: '3x3' });
      await page.put(['x.png', png]);
      assert.match((await page.ended()).error, /\[bad_filter\]/);
      await page.filter('kernel', { weights: '1,a' });
      await page.click('again', 0);
      await page.until(
        () => document.querySelector('[data-testid="error"]').textContent.includes("not a number ('a')"),
        'the second error',
      );
      await page.click('remove', 0);
      await page.filter('mean', { radius: 1 });
    });

    it('cancel while it encrypts: the workers end, nothing is sent', async () => {
      const before = recorder.requests.filter((line) => line.startsWith('POST')).length;
      await page.slowFilter();
      await page.put(['large.png', encodePng(makePhoto(700, 500, 3, 32))]);
      await page.until(
        () => /Encrypting, \d/.test(document.querySelector('[data-testid="progress-text"]').textContent),
        'encryption',
      );
      await page.click('cancel', 0);
      assert.deepEqual(await page.ended(), { state: 'cancelled', error: '', bytes: 0 });
      assert.equal(recorder.requests.filter((line) => line.startsWith('POST')).length, before);
      await page.click('remove', 0);
      await page.filter('mean', { radius: 1 });
      await works();
    });

    it('cancel while it waits in the queue', async () => {
      await page.slowFilter();
      await page.put(['one.png', encodePng(makePhoto(300, 200, 3, 33))], ['two.png', png]);
      await page.click('cancel', 0);
      assert.equal((await page.ended(0)).state, 'cancelled');
      await page.click('cancel', 1);
      assert.equal((await page.ended(1)).state, 'cancelled');
      await page.vault.evaluate(() =>
        document.querySelectorAll('[data-testid="remove"]').forEach((button) => button.click()),
      );
      await page.filter('mean', { radius: 1 });
      await works();
    });

    it('cancel while the server filters: the job is deleted there', async () => {
      let release;
      held = new Promise((resolve) => (release = resolve));
      const before = recorder.requests.length;
      await page.put(['slow.png', png]);
      await page.until(
        () => document.querySelector('[data-testid="photo"] .now')?.dataset.phase === 'filter',
        'the filter',
      );
      const address = await seen(/^GET (.*\/v1\/jobs\/[^/]*)$/, before);
      assert.equal((await fetch(address)).status, 200);
      await page.click('cancel', 0);
      assert.equal((await page.ended()).state, 'cancelled');
      assert.equal(await seen(/^DELETE (.*)$/, before), address);
      const gone = async () => (await fetch(address)).status === 404;
      for (let tries = 0; tries < 100 && !(await gone()); tries++) await sleep(50);
      assert.ok(await gone(), 'the server must have forgotten the job');
      held = null;
      release();
      await page.click('remove', 0);
      await works();
    });

    it('asks again for the state of its job if an answer is lost', async () => {
      const before = recorder.requests.length;
      // The first question is cut off.
      held = { then: (_, reject) => ((held = null), reject(new Error('cut'))) };
      await works();
      await seen(/^GET (.*\/v1\/jobs\/[^/]*)$/, before);
      assert.ok(recorder.requests.slice(before).filter((line) => /^GET .*\/v1\/jobs\/[^/]*$/.test(line)).length > 1);
    });

    /** Waits for a matching request after the first `before` ones that the recorder saw. Returns the pattern's capture. */
    async function seen(pattern, before) {
      for (let tries = 0; tries < 200; tries++) {
        const line = recorder.requests.slice(before).find((request) => pattern.test(request));
        if (line) return pattern.exec(line)[1];
        await sleep(50);
      }
      throw new Error(`no ${pattern} among ${recorder.requests.slice(before)}`);
    }

    it('a worker that dies is replaced', async () => {
      await page.put(['panic.png', encodePng(makePhoto(PANIC_WIDTH, 9, 3, 35))]);
      const { state, error } = await page.ended();
      assert.equal(state, 'failed');
      assert.match(error, /\[internal\]/);
      await page.click('remove', 0);
      await works();
    });

    it('a result of another key, and a forgotten key', async () => {
      await page.click('forget-key');
      await page.until(() => document.querySelector('[data-testid="fingerprint"]').textContent === '', 'the key to go');
      await page.put(['reply.slt', reply]);
      assert.match((await page.ended()).error, /no key.*\[foreign_key\]/);
      await page.click('remove', 0);
      await page.newKey(2048);
      await page.put(['reply.slt', reply]);
      assert.match((await page.ended()).error, /\[foreign_key\]/);
      await page.click('remove', 0);
      await works();
    });

    it('makes a key for the next photo when there is none', async () => {
      await page.click('forget-key');
      await page.until(
        () => /No key in use/.test(document.querySelector('[data-testid="key-state"]').textContent),
        'its end',
      );
      await works();
      assert.match(await page.text('fingerprint'), /^Fingerprint [0-9a-f]{32}$/);
    });

    it('a key that is being made can be given up', async () => {
      await page.set('bits', 4096);
      await page.click('new-key');
      await page.until(() => /\d candidates tried/.test(document.body.innerText), 'the search');
      await page.click('forget-key');
      await page.until(
        () => /No key in use/.test(document.querySelector('[data-testid="key-state"]').textContent),
        'its end',
      );
      await page.set('bits', 2048);
      await page.newKey(2048);
      await works();
    });

    it('not a key file', async () => {
      for (const [bytes, code] of [
        [Buffer.from('nonsense'), 'not_safelight'],
        [reply, 'wrong_kind'],
      ]) {
        await page.vault.evaluate((text) => {
          const field = document.querySelector('[data-testid="open-key"]');
          const list = new DataTransfer();
          list.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], 'x.key'));
          field.files = list.files;
          field.dispatchEvent(new Event('change', { bubbles: true }));
        }, bytes.toString('base64'));
        await page.until(
          (wanted) => document.querySelector('[data-testid="message"]').textContent.includes(wanted),
          code,
          { args: [`[${code}]`] },
        );
      }
      await works();
    });

    it('a server that is gone', async () => {
      await server.stop();
      await page.put(['late.png', png]);
      const { state, error } = await page.ended();
      assert.equal(state, 'failed');
      assert.match(error, /\[unreachable\]/);
    });
  });
}
