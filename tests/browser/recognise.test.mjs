// job="classify": photos with names are scrambled in the vault under one key, a server learns from them, and then recognises
// other photos. Names, photos and the key stay in the vault.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { asideOf, browsers, cli, folder, openBrowser, startServer } from './lib/harness.mjs';
import { startRelay } from './lib/relay.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const NAMES = ['Zarathustra', 'Ottokar', 'Brünhilde'];
const SIDE = 96;

/** Photo number `i` of a person: a mix of their own pattern and this photo's. Its middle is 96 pixels wide and high. */
function portrait(person, i) {
  const [theirs, own] = [makePhoto(144, SIDE, 3, 100 + person), makePhoto(144, SIDE, 3, 1000 + 50 * person + i)];
  return { ...theirs, data: theirs.data.map((value, at) => (3 * value + own.data[at]) >> 2) };
}

/** A photo's middle in grey, by the formula in the documentation. */
function middle({ width, data }) {
  const grey = (x, y) => {
    const at = (y * width + x) * 3;
    return (19595 * data[at] + 38470 * data[at + 1] + 7471 * data[at + 2] + 32768) >> 16;
  };
  const left = (width - SIDE) / 2;
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => grey(left + (i % SIDE), Math.floor(i / SIDE)));
}

for (const name of browsers) {
  describe(`recognising in ${name}`, () => {
    let server, relay, browser, page;
    before(async () => {
      relay = await startRelay();
      server = await startServer('--embedder', new URL(relay.url).origin);
      relay.site = server.url;
      browser = await openBrowser(name);
      page = await browser.open(relay.url);
      await page.page.evaluate(() => {
        window.events = [];
        const element = document.querySelector('safe-light');
        for (const type of ['trained', 'classified', 'error'])
          element.addEventListener(type, ({ detail }) => window.events.push({ type, ...detail }));
      });
      await page.page.select('#task', 'classify');
      assert.equal(await page.page.$eval('#filtering', ({ hidden }) => hidden), true);
      await page.until(() => !document.getElementById('recognise').hidden, 'the page for recognising');
    });
    after(async () => {
      await browser?.close();
      await Promise.all([server?.stop(), relay?.stop()]);
    });

    const posts = () => relay.seen.filter(({ method }) => method === 'POST');
    const state = (pattern) =>
      page.until((text) => new RegExp(text).test(document.getElementById('learn-state').textContent), pattern, { args: [pattern] });
    const message = (pattern) =>
      page.until((text) => new RegExp(text).test(document.getElementById('message').textContent), pattern, { args: [pattern] });
    /** Drops photos `[name, bytes]` onto one of the elements that match a selector. */
    const drop = (selector, index, ...files) =>
      page.vault.evaluate(
        (where, number, list) => {
          const dataTransfer = new DataTransfer();
          for (const [title, text] of list)
            dataTransfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], title));
          const target = document.querySelectorAll(where)[number];
          target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
        },
        selector,
        index,
        files.map(([title, bytes]) => [title, Buffer.from(bytes).toString('base64')]),
      );
    const pictures = (person, from, count) =>
      Array.from({ length: count }, (_, i) => [`${NAMES[person]}-${from + i}.png`, encodePng(portrait(person, from + i))]);
    const verdict = (count) =>
      page.until(
        (wanted) => {
          const all = document.querySelectorAll('[data-testid="verdict"]');
          return all.length === wanted && !document.getElementById('learn').disabled && all[0].querySelector('p').innerText;
        },
        `${count} verdicts`,
        { args: [count] },
      );
    async function clean() {
      const vault = asideOf(page.vault);
      await vault.evaluate(axe);
      const found = await vault.evaluate(async (tags) => {
        const { violations } = await window.axe.run(document, { runOnly: tags, iframes: false });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`);
      }, RULES);
      assert.deepEqual(found, []);
    }

    it('warns before anything else, and knows no photo yet', async () => {
      assert.match(await page.text('etc-warning'), /obfuscation, not encryption.*give each other away/s);
      assert.match(await page.text('whose'), /sees only scrambled pictures/);
      await drop('#unknown', 0, ['a.png', encodePng(portrait(0, 0))]);
      await message('\\[not_learned\\]');
      await clean();
    });

    it('takes names by keyboard, and photos dropped on them', async () => {
      for (const [person, title] of NAMES.entries()) {
        await (await page.vault.$('#new-name')).focus();
        await page.page.keyboard.type(title);
        await page.page.keyboard.press('Enter');
        await page.until((count) => document.querySelectorAll('.person').length === count, 'the name', { args: [person + 1] });
        assert.equal(await page.vault.evaluate(() => document.activeElement.dataset.testid), 'person-photos');
        assert.equal(await page.vault.$eval('#learn', ({ disabled }) => disabled), true);
        await drop('.person', person, ...pictures(person, 0, 4));
        await state(`${title}: 4 photos here`);
      }
      assert.deepEqual(posts(), [], 'nothing was sent yet');
      assert.equal(await page.vault.$$eval('.thumbs img', (all) => all.filter(({ naturalWidth }) => naturalWidth === 96).length), 24);
      await clean();
    });

    it('makes a key for scrambled pictures by itself, and asks to save it', async () => {
      assert.match(await page.text('key-state'), /for scrambled pictures.*key file not saved yet/);
      assert.equal(await page.vault.$eval('#reminder', ({ hidden }) => hidden), false);
    });

    it('has the server learn from pictures that only their owner can recognise', async () => {
      await page.click('learn');
      await state('learned 3 names from 12 scrambled pictures');
      const [{ pathname, learner: wanted, type, body }] = posts();
      assert.deepEqual([pathname, wanted], ['/v1/models', 'svm-linear']);
      const parts = [...(await new Response(body, { headers: { 'Content-Type': type } }).formData())];
      assert.deepEqual(parts.map(([label]) => label), [...'111122223333']);
      const key = await page.savedKey();
      assert.match(key.name, /^safelight-etc-[0-9a-f]{8}\.key$/);
      const at = (file) => join(folder(), file);
      const [scrambled, opened] = [at('scrambled.png'), at('opened.png')];
      for (const [i, [, file]] of parts.entries()) {
        const bytes = Buffer.from(await file.arrayBuffer());
        const picture = decodePng(bytes);
        const clear = middle(portrait(Math.floor(i / 4), i % 4));
        assert.deepEqual([picture.width, picture.height, picture.channels], [SIDE, SIDE, 1]);
        const same = clear.filter((value, place) => value === picture.data[place]).length;
        assert.ok(same < clear.length / 20, `${same} pixels are as they were`);
        writeFileSync(scrambled, bytes);
        await cli('etc', 'decrypt', '--key', key.path, scrambled, '--out', opened);
        assert.deepEqual(decodePng(readFileSync(opened)).data, clear);
      }
    });

    it('says who is on other photos', async () => {
      for (const [i, person] of [2, 0, 1].entries()) {
        await drop('#unknown', 0, ...pictures(person, 10, 1));
        const said = (await verdict(i + 1)).split('\n');
        assert.match(said[0], new RegExp(`^${NAMES[person]}, [0-9.]+ %$`));
        assert.equal(said.length, 3);
      }
      await state('Ottokar-10\\.png: Ottokar, ');
      await clean();
      await page.screenshots(`${name}-recognise`);
    });

    it('keeps the names from the site and the server', async () => {
      const [events, model] = await page.page.evaluate(() => [window.events, document.querySelector('safe-light').model]);
      assert.deepEqual(events.map(({ type }) => type), ['trained', 'classified', 'classified', 'classified']);
      assert.deepEqual([events[0].labels, events[1].label], [['1', '2', '3'], '3']);
      assert.ok(relay.models.has(model.id));
      const sent = Buffer.concat(relay.seen.map(({ body, pathname }) => Buffer.concat([body, Buffer.from(pathname)])));
      for (const title of NAMES) {
        assert.ok(!sent.includes(title), title);
        assert.ok(!JSON.stringify(events).includes(title), title);
      }
    });

    it('shows what the page was told', async () => {
      const notes = await page.page.$$eval('#events li', (all) => all.map(({ textContent }) => textContent));
      assert.match(notes[0], /^a scrambled picture shows number 2, [0-9.]+%$/);
      assert.ok(notes.includes('the server learned 3 numbers that stand for names'), notes.join('\n'));
    });

    it('can be cancelled, and goes on', async () => {
      let go;
      relay.hold = new Promise((free) => (go = free));
      await page.click('learn');
      await state('learning from pictures');
      await page.click('learn-cancel');
      await state('Cancelled');
      go();
      relay.hold = null;
      await page.click('learn');
      await state('learned 3 names');
    });

    it('says what the server refuses, and does not believe everything', async () => {
      relay.answer = [422, { code: 'too_large', detail: 'what the server says itself' }];
      await page.click('learn');
      await message('^The server does not accept this much; make the photo smaller first\\. \\[too_large\\]$');
      relay.answer = [422, { code: 'too_few_pictures', detail: 'there are too few pictures' }];
      await page.click('learn');
      await message('^The site or its server answered with something that the vault does not understand.*\\[bad_answer\\]$');
      for (const answer of [{ id: 'x', classes: [{ label: '1' }] }, { id: 'x', classes: '123' }, { classes: [{ label: '1' }] }]) {
        relay.answer = [201, answer];
        await page.click('learn');
        await message('\\[bad_answer\\]');
        await page.until(() => !document.getElementById('learn').disabled, 'an end');
      }
      relay.answer = null;
      await page.click('learn');
      await state('learned 3 names');
      for (const answer of [{ label: '4' }, { label: '1', probabilities: [2, 0, 0] }, { label: '1', probabilities: [1] }, {}]) {
        relay.answer = [200, answer];
        await drop('#unknown', 0, ...pictures(0, 11, 1));
        await message('\\[bad_answer\\]');
        await page.until(() => !document.getElementById('learn').disabled, 'an end');
      }
      relay.answer = null;
    });

    it('has to learn again with another key, and says so', async () => {
      await page.vault.evaluate(() => (document.getElementById('more-keys').open = true));
      const before = await page.text('fingerprint');
      await page.click('new-key');
      await page.until((text) => document.getElementById('key-print').textContent !== text, 'another key', { args: [before] });
      await drop('#unknown', 0, ...pictures(1, 12, 1));
      await message('under another key.*\\[foreign_key\\]');
      await page.click('learn');
      await state('learned 3 names');
      await drop('#unknown', 0, ...pictures(1, 13, 1));
      assert.match(await verdict(1), /^Ottokar/);
      const rings = await page.vault.$$eval('#ring label', (all) => all.map(({ textContent }) => textContent));
      assert.equal(rings.length, 2);
      for (const text of rings) assert.match(text, /^Key [0-9a-f]{8}, for scrambled pictures, /);
      await clean();
    });

    it('removes photos and names', async () => {
      await page.vault.$eval('.person:last-child .thumbs button', (button) => button.click());
      await page.until(() => document.querySelectorAll('.person:last-child .thumbs li').length === 3, 'three photos');
      assert.equal(await page.vault.evaluate(() => document.activeElement.dataset.testid), 'person-photos');
      await page.vault.$eval('.person:last-child [data-testid="remove-person"]', (button) => button.click());
      await page.until(() => document.querySelectorAll('.person').length === 2, 'two names');
      assert.equal(await page.vault.evaluate(() => document.activeElement.id), 'new-name');
    });

    it('has the server forget', async () => {
      const { id } = await page.page.$eval('safe-light', ({ model }) => model);
      await page.click('unlearn');
      await page.until(() => document.getElementById('unknown').disabled, 'nothing to ask');
      const gone = () => relay.seen.some(({ method, pathname }) => method === 'DELETE' && pathname === `/v1/models/${id}`);
      for (let tries = 0; !gone() && tries < 100; tries++) await new Promise((next) => setTimeout(next, 50));
      assert.ok(gone());
      assert.equal(await page.page.$eval('safe-light', ({ model }) => model), null);
    });

    it('in German, on a phone, in the dark', async () => {
      await page.click('learn');
      await state('learned 2 names');
      await drop('#unknown', 0, ...pictures(0, 14, 1));
      await verdict(1);
      await page.set('language', 'de');
      await page.until(() => document.documentElement.lang === 'de', 'German');
      assert.match(await page.text('learn-state'), /^Zarathustra-14\.png: Zarathustra/);
      await page.page.$eval('safe-light', (element) => element.setAttribute('theme', 'dark'));
      await page.page.setViewport({ width: 360, height: 740 });
      await clean();
      await page.screenshot(`${name}-recognise-german-phone`, 360, 740);
      const wide = await page.vault.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, 'the phone’s screen must not scroll sideways');
    });

    it('leaves nothing on the server when the element is removed', async () => {
      await page.page.$eval('safe-light', (element) => element.remove());
      for (let tries = 0; relay.models.size > 1 && tries < 100; tries++) await new Promise((next) => setTimeout(next, 50));
      // One answer came after the page had stopped waiting: its model is left to the server to forget.
      assert.ok(relay.models.size <= 1, relay.seen.map(({ method, pathname }) => `${method} ${pathname}`).join('\n'));
    });

    it('complained about nothing but what the server refused', () =>
      assert.deepEqual(page.complaints.filter((text) => !/status of (404|422)/.test(text)), []));
  });
}
