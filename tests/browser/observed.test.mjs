// A site observes the vault from outside while a key works on images that the site provided, and must not learn the outcome. A
// hostile page records all messages and heights while an image opens and while a forged one does not: the two records must be
// the same. So must the rows that are processed. The same comparison finds planted leaks.

import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { browsers, folder, openBrowser, root, serve } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { crc32, encodePng } from './lib/png.mjs';
import { startRecorder } from './lib/recorder.mjs';

const PNG = encodePng(makePhoto(160, 120, 3, 91));
const CALM = 1200; // ms in which the vault must have sent all its messages

// Appended to the module's script, in every worker: reports each row that is processed.
const COUNTS = `
import * as own from './safelight.js';
const rows = new BroadcastChannel('rows');
const decryptRow = own.Decryptor.prototype.decryptRow;
own.Decryptor.prototype.decryptRow = function (row, frame) {
  rows.postMessage(row);
  return EARLY(frame) ?? decryptRow.call(this, row, frame);
};
function EARLY(frame) {}`;

// The same with a leak: it fails at the first wrong row.
const STOPS = COUNTS.replace(
  'function EARLY(frame) {}',
  `function EARLY(frame) {
    if (frame.subarray(0, 64).every((byte) => byte === 0)) throw Object.assign(new Error('early'), { code: 'wrong_result' });
  }`,
);

// Appended to the vault's script: counts the rows, and leaks in the way that \`plant\` names.
const LISTENS = `
globalThis.rowsDone = [];
globalThis.drawn = [];
const draw = globalThis.createImageBitmap;
globalThis.createImageBitmap = (source, how) => {
  globalThis.drawn.push([source.width, source.height, how?.resizeWidth].join(' '));
  return draw(source, how);
};
new BroadcastChannel('rows').onmessage = ({ data }) => globalThis.rowsDone.push(data);
new MutationObserver(() => {
  const failed = document.querySelector('[data-state="failed"]');
  document.body.style.paddingBottom = failed && globalThis.plant === 'height' ? '40px' : '';
  if (failed && globalThis.plant === 'message') parent.postMessage({ safelight: 1, op: 'failed' }, '*');
}).observe(document.getElementById('list'), { subtree: true, attributeFilter: ['data-state'] });`;

const instrumented = (module) => (path, text) => {
  if (path.endsWith('/client/pkg/safelight.js')) return `${text}\n${module}`;
  return path.endsWith('/vault/vault.js') ? `${text}\n${LISTENS}` : text;
};

async function hostile(name, { module = COUNTS, args = [] } = {}) {
  const server = await serve({ page: join(root, 'tests/browser/hostile') }, ...args);
  const recorder = await startRecorder(server.url, { rewrite: instrumented(module) });
  const browser = await openBrowser(name, { proxy: recorder.port });
  const page = await browser.open(server.url, { ready: false });
  await page.page.evaluate(() => window.embed());
  await page.ready();
  await page.newKey(2048);
  await page.put(['first.png', PNG]); // reports on a second photo use estimates from the first
  await page.done();
  await sleep(CALM);
  await page.page.evaluate(() => window.send({ v: 1, op: 'clear', args: {} }));
  const site = (work, ...args) => page.page.evaluate(work, ...args);
  const stop = async () => {
    await browser.close();
    await recorder.stop();
    await server.stop();
  };

  /** Waits until the site knows the height after the last `clear`: on a busy machine, it may arrive late. */
  async function settled() {
    const own = () => page.vault.evaluate(() => Math.ceil(document.body.getBoundingClientRect().height));
    while ((await site(() => window.height())) !== (await own())) await sleep(50);
  }

  /** Everything reported during `act` and the photo after it; also how the first one ended, and which rows were processed. */
  async function observed(act) {
    await settled();
    await site(() => window.watch());
    await page.vault.evaluate(() => (globalThis.rowsDone.length = globalThis.drawn.length = 0));
    await act();
    const { state } = await page.ended();
    await sleep(CALM);
    const drawn = await page.vault.evaluate(() => [...globalThis.drawn]);
    const rows = await page.vault.evaluate(() => globalThis.rowsDone.toSorted((a, b) => a - b));
    await site(() => (window.forge(null), window.answerWith(null)));
    await page.put(['next.png', PNG]);
    assert.notEqual((await page.ended()).state, 'running');
    await sleep(CALM);
    const { messages, heights } = await site(() => window.watched());
    await site(() => window.send({ v: 1, op: 'clear', args: {} }));
    await page.until(() => !document.querySelector('[data-testid="photo"]'), 'no more cards');
    return { state, told: { messages, heights }, rows, drawn };
  }

  /** A photo whose result is forged. A new key each time, so that things shown only once per key hide no difference. */
  async function reply(forgery) {
    await page.newKey(2048);
    return observed(async () => {
      await site((name) => window.forge(name), forgery);
      await page.put(['photo.png', PNG]);
    });
  }

  /** An encrypted image that the site hands over and the visitor opens. */
  async function offer(forgery) {
    const cards = () => page.vault.$$eval('[data-testid="photo"]', (all) => all.length);
    return observed(async () => {
      await site((name) => window.offer(name), forgery);
      await page.until(() => document.querySelector('[data-state="asking"]') !== null, 'the question');
      assert.equal(await cards(), 1);
      await page.click('open', 0);
    });
  }
  return { page, site, reply, offer, observed, stop };
}

for (const name of browsers) {
  describe(`what a hostile site observes in ${name}`, () => {
    let at;
    before(async () => (at = await hostile(name)));
    after(() => at?.stop());

    it('is the same for a result that opens and one that does not', async () => {
      const honest = await at.reply(null);
      assert.equal(honest.state, 'done');
      assert.ok(honest.told.messages.some((text) => text.includes('"op":"done"')), 'it hears that it is done');
      assert.ok(honest.told.messages.filter((text) => text.includes('"path":"v1/filters/')).length === 2, 'and gets the next photo');
      assert.ok(honest.rows.length > 8, `${honest.rows.length} rows`);
      for (const forgery of ['swapped', 'swapped at the end', 'repeated', 'zeroed']) {
        const { state, told, rows, drawn } = await at.reply(forgery);
        assert.equal(state, 'failed', forgery);
        assert.deepEqual(told, honest.told, forgery);
        assert.deepEqual(rows, honest.rows, `${forgery}: all rows are worked on`);
        assert.deepEqual(drawn, honest.drawn, `${forgery}: as much is drawn`);
      }
      for (const forgery of ['bounded', 'anonymous']) {
        const { state, told, rows } = await at.reply(forgery);
        assert.deepEqual([state, rows], ['failed', []], `${forgery}: no key works on it`);
        assert.deepEqual(told, honest.told, forgery);
      }
    });

    it('is the same for an image of its own that opens and one that does not', async () => {
      const honest = await at.offer(null);
      assert.equal(honest.state, 'done');
      for (const forgery of ['swapped', 'repeated', 'zeroed']) {
        const { state, told, rows, drawn } = await at.offer(forgery);
        assert.equal(state, 'failed', forgery);
        assert.deepEqual(told, honest.told, forgery);
        assert.deepEqual(rows, honest.rows, `${forgery}: all rows are worked on`);
        assert.deepEqual(drawn, honest.drawn, `${forgery}: as much is drawn`);
      }
      for (const forgery of ['bounded', 'anonymous']) {
        const { state, told, rows } = await at.offer(forgery);
        assert.deepEqual([state, rows], ['failed', []], `${forgery}: no key works on it`);
        assert.deepEqual(told, honest.told, forgery);
      }
    });

    it('is nothing at all without a click: no key works on what it hands over', async () => {
      const { page, site } = at;
      const seen = [];
      for (const forgery of [null, 'swapped', 'bounded']) {
        await sleep(CALM);
        await site(() => window.watch());
        await page.vault.evaluate(() => (globalThis.rowsDone.length = 0));
        for (let count = 1; count <= 3; count++) {
          await site((which) => window.offer(which), forgery);
          await page.until((wanted) => document.querySelectorAll('[data-state="asking"]').length === wanted, 'the question', { args: [count] });
          await sleep(CALM);
        }
        assert.deepEqual(await page.vault.evaluate(() => globalThis.rowsDone), []);
        seen.push(await site(() => window.watched()));
        await site(() => window.send({ v: 1, op: 'clear', args: {} }));
        await page.until(() => !document.querySelector('[data-testid="photo"]'), 'no more cards');
      }
      assert.deepEqual(seen[1], seen[0]);
      assert.deepEqual(seen[2], seen[0]);
      assert.deepEqual(seen[0].messages, []);
    });

    it('does not say how long the name of a photo or of a key is', async () => {
      const { page, site } = at;
      const heights = [];
      for (const length of [3, 200]) {
        await page.click('rename-key');
        await page.set('dialog-name', 'm'.repeat(length));
        await page.click('dialog-yes');
        await site(() => window.watch());
        await page.put([`${'w'.repeat(length)}.png`, PNG]);
        await page.done();
        await sleep(CALM);
        heights.push((await site(() => window.watched())).heights);
        await site(() => window.send({ v: 1, op: 'clear', args: {} }));
        await page.until(() => !document.querySelector('[data-testid="photo"]'), 'no more cards');
      }
      assert.deepEqual(heights[1], heights[0]);
    });

    it('does not include scrolling of the site, wherever the wheel turns and whatever is shown there', async () => {
      const { page, site } = at;
      await site(() => {
        Object.assign(document.querySelector('iframe'), { width: 340, height: 4000 });
        document.body.style.paddingBottom = '4000px';
      });
      const seen = {};
      for (const forgery of [null, 'swapped']) {
        await site((which) => window.forge(which), forgery);
        await page.put(['photo.png', PNG]);
        await page.ended();
        await sleep(CALM);
        seen[forgery] = await scrolled(page);
        await site(() => window.send({ v: 1, op: 'clear', args: {} }));
        await page.until(() => !document.querySelector('[data-testid="photo"]'), 'no more cards');
      }
      await site(() => {
        window.forge(null);
        Object.assign(document.querySelector('iframe'), { width: 900, height: 1200 });
        document.body.style.paddingBottom = '';
        scrollTo(0, 0);
      });
      assert.ok(seen.null.length > 4, 'places');
      assert.ok(seen.null.every((by) => by === 0), `${seen.null}`);
      assert.deepEqual(seen.swapped, seen.null);
    });

    it('does not include the time of an answer, since the vault answers nothing', async () => {
      const { page, site } = at;
      const answers = () => site(() => window.answered(4711));
      await site(() => window.send({ v: 1, id: 4711, op: 'task', args: { task: 'filter', filter: 'mean' } }));
      await page.until(() => document.getElementById('message').textContent !== '', 'the warning');
      await sleep(CALM);
      assert.equal(await answers(), 0);
    });

    it('does not include how many bytes the photos have', async () => {
      const { page, site } = at;
      const fractions = [];
      for (const filter of [(y) => y % 5, () => 0]) {
        const large = encodePng(makePhoto(160, 120, 3, 91), { filter });
        await site(() => window.progress().length).then((before) => (fractions.before = before));
        await page.put(['one.png', large], ['two.png', encodePng(makePhoto(160, 120, 3, 5))]);
        await page.until(() => document.querySelectorAll('[data-state="done"]').length === 2, 'both', { timeout: 120_000 });
        await sleep(CALM);
        const told = await site((before) => window.progress().slice(before), fractions.before);
        fractions.push(told.filter(({ phase }) => phase === 'encrypt').map(({ fraction }) => fraction));
        assert.ok(told.every(({ fraction }) => Number.isInteger(Math.round(fraction * 1e9) / 1e7)), 'rounded');
        await site(() => window.send({ v: 1, op: 'clear', args: {} }));
        await page.until(() => !document.querySelector('[data-testid="photo"]'), 'no more cards');
      }
      const second = (all) => Math.min(...all.filter((fraction) => fraction >= 0.5));
      assert.equal(second(fractions[0]), second(fractions[1]));
    });

    it('is limited in what can wait for a click', async () => {
      const { page, site } = at;
      await site(() => {
        for (let i = 0; i < 205; i++) window.offer(null);
      });
      await page.until(() => /more encrypted photos than/.test(document.getElementById('message').textContent), 'the refusal');
      assert.equal(await page.vault.$$eval('[data-state="asking"]', (all) => all.length), 200);
      await site(() => window.send({ v: 1, op: 'clear', args: {} }));
    });
  });

  describe(`planted leaks to a hostile site in ${name}`, () => {
    let at, honest;
    before(async () => {
      at = await hostile(name, { module: STOPS });
      honest = await at.reply(null);
    });
    after(() => at?.stop());
    const planted = (leak) => at.page.vault.evaluate((what) => (globalThis.plant = what), leak);

    it('a height is found', async () => {
      await planted('height');
      const { told } = await at.reply('swapped');
      assert.throws(() => assert.deepEqual(told, honest.told));
      assert.throws(() => assert.deepEqual(told.heights, honest.told.heights));
    });

    it('an additional message is found', async () => {
      await planted('message');
      const { told } = await at.reply('swapped');
      assert.throws(() => assert.deepEqual(told, honest.told));
      assert.deepEqual(told.heights, honest.told.heights);
    });

    it('an early stop is found', async () => {
      await planted(null);
      const { told, rows } = await at.reply('zeroed');
      assert.throws(() => assert.deepEqual(rows, honest.rows));
      assert.deepEqual(told, honest.told);
    });
  });

  describe(`what a hostile site observes of a network's answers in ${name}`, () => {
    let at, front;
    before(async () => {
      const models = folder();
      copyFileSync(join(root, 'models/cifar10.model'), join(models, 'cifar10.model'));
      at = await hostile(name, { args: ['--models', models] });
      front = await at.site(async () => [...new Uint8Array(await (await fetch('v1/models/cifar10/file')).arrayBuffer())]);
    });
    after(() => at?.stop());

    /** Has the network of this name, with these labels, say what a photo shows. */
    async function ask(network, labels, answer = null) {
      const { page, site } = at;
      await site((bytes) => window.frontIs(bytes), [...labelled(Buffer.from(front), labels)]);
      const task = { task: 'classify-encrypted', network, server: { host: 'a server' } };
      await site((wanted) => window.task(wanted), task);
      await page.until((text) => document.getElementById('labels').textContent.includes(text), 'the labels', { args: [labels[0].slice(0, 20)] });
      await sleep(CALM);
      return at.observed(async () => {
        await site((bytes) => window.answerWith(bytes), answer);
        await page.put(['photo.png', PNG]);
      });
    }

    it('is the same for short and for long labels, and whether the answer opens or not', async () => {
      const ten = (text) => Array.from({ length: 10 }, (_, i) => `${i}${text}`);
      const long = ten(' a long label'.repeat(15));
      await ask('first', ten('')); // makes the key
      const [short, other] = [await ask('short', ten('')), await ask('long', long)];
      assert.deepEqual([short.state, other.state], ['done', 'done']);
      assert.deepEqual(other.told, short.told);
      const [again, forged] = [await ask('long', long), await ask('long', long, [1, 2, 3])];
      assert.deepEqual([again.state, forged.state], ['done', 'failed']);
      assert.ok(again.told.messages.some((text) => text.includes('"path":"v1/classifiers/')));
      assert.deepEqual(forged.told, again.told);
    });
  });
}

/** How far the site scrolls when the wheel turns over each text of the first card. */
async function scrolled(page) {
  const rooms = '.card .hint, .card figcaption, .card .phases, .card .outcome';
  const found = [];
  const count = await page.vault.$$eval(rooms, (all) => all.length);
  for (let i = 0; i < count; i++) {
    const middle = await page.vault.$$eval(rooms, (all, i) => {
      const { left, right, top, bottom } = all[i].getBoundingClientRect();
      return { x: (left + right) / 2, y: (top + bottom) / 2, width: right - left };
    }, i);
    if (middle.width === 0) continue;
    const place = () => page.page.$eval('iframe', (frame) => frame.getBoundingClientRect().toJSON());
    const { top } = await place();
    await page.page.evaluate((by) => scrollBy(0, by), top + middle.y - 300);
    const { left, top: now } = await place();
    await page.page.mouse.move(left + middle.x, now + middle.y);
    for (let turns = 0; turns < 3; turns++) await page.page.mouse.wheel({ deltaY: 30 });
    await sleep(500);
    found.push(Math.round(now - (await place()).top));
  }
  return found;
}

/** The public part of a network with other labels. */
function labelled(front, labels) {
  const header = Buffer.from(front.subarray(0, 16 + front.readUInt32LE(12)));
  const had = header.readUInt32LE(16 + 24);
  const list = Buffer.concat(labels.flatMap((label) => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]));
  header.writeUInt32LE(list.length, 16 + 24);
  const sum = (...parts) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(crc32(Buffer.concat(parts)));
    return bytes;
  };
  const headerSum = sum(header);
  const body = Buffer.concat([list, front.subarray(header.length + 4 + had, -4)]);
  return Buffer.concat([header, headerSum, body, sum(headerSum, body)]);
}
