// job="classify-encrypted": a network on the server says what a photo shows, from numbers that are encrypted in the vault. The
// answer is the same as in the clear, and neither photo nor key nor label leaves the vault.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { asideOf, browsers, cli, folder, openBrowser, root, startServer } from './lib/harness.mjs';
import { makePhoto, split } from './lib/photos.mjs';
import { encodePng } from './lib/png.mjs';
import { startRecorder } from './lib/recorder.mjs';
import { makeNeedles, search } from './lib/search.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const NETWORK = join(root, 'models/cifar10.model');
const FILE = 'Überfahrt nach Vardø, geheim-5d2b.png';
const KEY_AT = 34; // where the coefficients begin in a secret key file; everything before them is public
const PHOTOS = [makePhoto(32, 32, 3, 5), makePhoto(90, 61, 3, 6), makePhoto(40, 70, 1, 7), makePhoto(64, 48, 4, 8)];

/** The command line's label for a photo, in the clear. */
async function inTheClear(photo) {
  const path = join(folder(), 'photo.png');
  writeFileSync(path, encodePng(photo));
  const { stdout } = await cli('classify', '--model', NETWORK, path, '--json');
  return JSON.parse(stdout).label;
}

/** The needles for everything that must not travel. */
function needles(keyFile) {
  const rows = PHOTOS.flatMap((photo) => {
    const { width, height, channels, data } = photo;
    const lines = (samples, length) => Array.from({ length: height }, (_, y) => samples.subarray(y * length, (y + 1) * length));
    return [...lines(data, width * channels), ...split(photo).planes.flatMap((plane) => lines(plane, width))];
  });
  return makeNeedles({ bytes: { 'the key file': keyFile.subarray(KEY_AT) }, rows, texts: [FILE, 'geheim-5d2b'] });
}

// Leaks that are appended to a delivered script, to show that they are found.
const LEAKS = `
  const [taken, asked] = [ops.key, ops.encryptPhoto];
  ops.key = ({ bytes }) => (fetch('/v1', { method: 'POST', body: bytes.slice(300, 360) }), taken({ bytes }));
  ops.encryptPhoto = (job) => (fetch('/v1?t=' + btoa(String.fromCharCode(...job.photo.samples.subarray(300, 360)))), asked(job));`;

/** A folder with the network, and a model of another kind. */
async function models() {
  const [all, pictures] = [folder(), folder()];
  copyFileSync(NETWORK, join(all, 'cifar10.model'));
  for (const [i, label] of ['A', 'A', 'B', 'B'].entries()) {
    mkdirSync(join(pictures, label), { recursive: true });
    writeFileSync(join(pictures, label, `${i}.png`), encodePng(makePhoto(16, 16, 3, 20 + i)));
  }
  await cli('train', pictures, '--out', join(all, 'other.model'));
  return all;
}

for (const name of browsers) {
  describe(`encrypted answers in ${name}`, () => {
    let server, recorder, browser, page, hold;
    before(async () => {
      server = await startServer('--models', await models());
      recorder = await startRecorder(server.url, { hold: (path) => hold?.(path) });
      browser = await openBrowser(name, { proxy: recorder.port });
      page = await browser.open(server.url);
      await page.page.evaluate(() => {
        window.events = [];
        const element = document.querySelector('safe-light');
        for (const type of ['answered', 'done', 'classified', 'progress', 'error'])
          element.addEventListener(type, ({ detail }) => window.events.push({ type, ...detail, upload: detail.upload?.size, reply: detail.reply?.size }));
      });
    });
    after(async () => {
      await browser?.close();
      await recorder?.stop();
      await server?.stop();
    });

    const events = () => page.page.evaluate(() => window.events);
    const count = (pattern) => recorder.requests.filter((line) => pattern.test(line)).length;
    const found = (card = 0) =>
      page.vault.evaluate(
        (at) => [...document.querySelectorAll('[data-testid="found"]')[at].children].map(({ textContent }) => textContent),
        card,
      );
    const message = (pattern) =>
      page.until((text) => new RegExp(text).test(document.getElementById('message').textContent), pattern, { args: [pattern] });
    async function clean() {
      const vault = asideOf(page.vault);
      await vault.evaluate(axe);
      const violations = await vault.evaluate(async (tags) => {
        const { violations } = await window.axe.run(document, { runOnly: tags, iframes: false });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`);
      }, RULES);
      assert.deepEqual(violations, []);
    }

    it('is offered where the server has a network, and says what it can tell', async () => {
      assert.equal(await page.page.$eval('[value="classify-encrypted"]', ({ disabled }) => disabled), false);
      assert.deepEqual(await page.page.$$eval('#network option', (all) => all.map(({ value }) => value)), ['cifar10']);
      await page.page.select('#task', 'classify-encrypted');
      await page.until(() => document.getElementById('labels').textContent.includes('airplane'), 'the labels');
      assert.match(await page.text('task'), /sees neither the photos nor its answers/);
      assert.match(await page.text('key-state'), /One will be created for your first photo/);
      await clean();
    });

    it('says what the command line says in the clear', async () => {
      for (const [i, photo] of PHOTOS.entries()) {
        await page.put([i === 0 ? FILE : `${i}.png`, encodePng(photo)]);
        await page.done();
        // Only the label is shown: people publish what they see.
        assert.deepEqual(await found(), [await inTheClear(photo)]);
      }
      assert.match(await page.text('progress-text'), /do not publish/);
      assert.match(await page.text('key-state'), /For answers, for encrypted numbers/);
    });

    it('sends keys for computing once', () => {
      assert.equal(count(/^POST .*\/v1\/keys$/), 1);
      assert.equal(count(/^POST .*\/v1\/classifiers\/cifar10\?keys=/), PHOTOS.length);
    });

    it('tells the site no label', async () => {
      const heard = await events();
      const answers = heard.filter(({ type }) => type === 'answered');
      assert.equal(answers.length, PHOTOS.length);
      assert.ok(answers.every(({ upload, reply }) => upload === answers[0].upload && reply === answers[0].reply), 'all alike');
      assert.deepEqual([...new Set(heard.map(({ type }) => type))].sort(), ['answered', 'progress']);
      const text = JSON.stringify(heard);
      for (const label of ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'])
        assert.ok(!new RegExp(`\\b${label}\\b`).test(text), label);
      assert.match(await page.page.$eval('#events', ({ textContent }) => textContent), /an encrypted question, 0\.\d+ MB, and its encrypted answer/);
    });

    it('lets nothing secret travel', async () => {
      await page.vault.evaluate(() => (document.getElementById('more-keys').open = true));
      const key = await page.savedKey();
      assert.match(key.name, /^safelight-ckks-[0-9a-f]{8}\.key$/);
      assert.deepEqual(search(needles(key.bytes), recorder.recorded()), []);
      assert.ok(recorder.recorded().some((body) => body.includes(key.bytes.subarray(18, KEY_AT))), 'the public name of the key was seen');
    });

    it('is shown well', async () => {
      await clean();
      await page.screenshots(`${name}-network`);
    });

    it('can be cancelled, and goes on', async () => {
      let go;
      const gate = new Promise((free) => (go = free));
      hold = (path) => path.includes('/v1/classifiers/') && gate;
      await page.put(['slow.png', encodePng(PHOTOS[1])]);
      await page.until(() => /classifying|Uploading/.test(document.querySelector('[data-testid="progress-text"]').textContent), 'the wait');
      await page.click('cancel', 0);
      assert.equal((await page.ended()).state, 'cancelled');
      hold = null;
      go();
      await page.click('again', 0);
      await page.done();
      assert.deepEqual(await found(), [await inTheClear(PHOTOS[1])]);
    });

    it('sends keys again when the server has lost them', async () => {
      const id = /keys=([^ &]+)/.exec(recorder.requests.findLast((line) => /classifiers/.test(line)))[1];
      assert.equal((await fetch(new URL(`v1/keys/${id}`, server.url), { method: 'DELETE' })).status, 204);
      await page.click('again', 0);
      await page.done();
      assert.equal(count(/^POST .*\/v1\/keys$/), 2);
    });

    it('has the server forget the evaluation keys when the key is forgotten', async () => {
      const before = count(/^DELETE .*\/v1\/keys\//);
      await page.click('forget-key');
      for (let tries = 0; count(/^DELETE .*\/v1\/keys\//) === before && tries < 100; tries++) await new Promise((next) => setTimeout(next, 50));
      assert.equal(count(/^DELETE .*\/v1\/keys\//), before + 1);
      await page.click('again', 0);
      await page.done(); // with the same key, which the ring has
      assert.equal(await page.vault.$$eval('#ring label', (all) => all.length), 1);
    });

    it('says what is wrong with a network', async () => {
      await page.page.$eval('safe-light', (element) => element.setAttribute('network', 'nobody'));
      await message('\\[model_not_found\\]');
      await page.put(['lost.png', encodePng(PHOTOS[0])]);
      assert.match((await page.ended()).error, /\[model_not_found\]$/);
      const last = (await events()).at(-1);
      assert.deepEqual([last.type, last.code], ['error', 'model_not_found']);
      await page.page.$eval('safe-light', (element) => element.setAttribute('network', 'other'));
      await message('\\[wrong_kind\\]');
      await page.page.$eval('safe-light', (element) => element.removeAttribute('network'));
      await page.click('again', 0);
      assert.match((await page.ended()).error, /\[bad_argument\]$/);
      await page.page.$eval('safe-light', (element) => element.setAttribute('network', 'cifar10'));
      await page.until(() => document.getElementById('labels').textContent !== '', 'the labels');
      await page.click('again', 0);
      await page.done();
    });

    it('takes no key of another set for it', async () => {
      const file = join(folder(), 'other.key');
      await cli('keygen', 'ckks', '--set', 'leveled-14', '--out', file);
      await page.drop(['other.key', readFileSync(file)]);
      await page.until(() => document.querySelectorAll('#ring label').length === 2, 'two keys');
      assert.doesNotMatch(await page.text('key-state'), /For answers/);
      await page.click('again', 0);
      await page.done();
      assert.deepEqual(await found(), [await inTheClear(PHOTOS[0])]);
    });

    it('in German, on a phone', async () => {
      await page.set('language', 'de');
      await page.until(() => document.documentElement.lang === 'de', 'German');
      assert.match(await page.text('task'), /Ein neuronales Netz auf dem Server/);
      await page.page.setViewport({ width: 360, height: 740 });
      const wide = await page.vault.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, 'the phone’s screen must not scroll sideways');
      await clean();
    });

    it('leaves no keys on the server when the element is removed', async () => {
      const before = count(/^DELETE .*\/v1\/keys\//);
      await page.page.$eval('safe-light', (element) => element.remove());
      for (let tries = 0; count(/^DELETE .*\/v1\/keys\//) === before && tries < 100; tries++) await new Promise((next) => setTimeout(next, 50));
      assert.equal(count(/^DELETE .*\/v1\/keys\//), before + 1);
    });

    it('complained about nothing but what the server refused', () =>
      assert.deepEqual(page.complaints.filter((text) => !/status of (404|422)/.test(text)), []));
  });

  describe(`planted leaks in ${name}`, () => {
    it('are found', async () => {
      const server = await startServer('--models', await models());
      const rewrite = (path, text) => (path.endsWith('/client/schemes/ckks/compute.js') ? `${text}\n;${LEAKS}` : text);
      const recorder = await startRecorder(server.url, { rewrite });
      const browser = await openBrowser(name, { proxy: recorder.port });
      try {
        const page = await browser.open(server.url);
        await page.page.select('#task', 'classify-encrypted');
        await page.until(() => document.getElementById('labels').textContent !== '', 'the labels');
        await page.put([FILE, encodePng(PHOTOS[0])]);
        await page.done();
        const key = await page.savedKey();
        assert.deepEqual(search(needles(key.bytes), recorder.recorded()), ['a row of pixels', 'the key file']);
      } finally {
        await browser.close();
        await recorder.stop();
        await server.stop();
      }
    });
  });

  describe(`a server without networks in ${name}`, () => {
    it('is not offered', async () => {
      const server = await startServer();
      const browser = await openBrowser(name);
      try {
        const page = await browser.open(server.url);
        assert.equal(await page.page.$eval('[value="classify-encrypted"]', ({ hidden, disabled }) => hidden && disabled), true);
      } finally {
        await browser.close();
        await server.stop();
      }
    });
  });
}
