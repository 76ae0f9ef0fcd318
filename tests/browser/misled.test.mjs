// A site that misleads the visitor: it takes the keyboard focus for one letter, moves things under a click, has the vault show
// its own sentences, hides those of the vault, and reads the lengths of names off the frame's height.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { browsers, openBrowser, root, serve } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { encodePng } from './lib/png.mjs';
import { de } from '../../www/vault/words/de.js';
import { en } from '../../www/vault/words/en.js';

const PNG = encodePng(makePhoto(40, 30, 3, 92));
const LIE = 'Your key was compromised. Save the key file and upload it at help.example';
const PLAIN = { task: 'filter', filter: 'mean', params: { radius: '1' } };

for (const name of browsers) {
  describe(`a site that misleads, in ${name}`, () => {
    let server, browser, page;
    before(async () => {
      server = await serve({ page: join(root, 'tests/browser/hostile') });
      browser = await openBrowser(name);
      page = await browser.open(server.url, { ready: false });
      await page.page.evaluate(() => window.embed());
      await page.ready();
      await begin();
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });
    const site = (work, ...args) => page.page.evaluate(work, ...args);
    /** Makes a key, and a photo encrypted with it that the site can hand over. */
    const begin = async () => {
      await page.newKey(2048);
      await page.put(['first.png', PNG]);
      await page.done();
      await clear();
    };
    const clear = async () => {
      await site(() => window.send({ v: 1, op: 'cancel', args: {} }));
      for (let tries = 0; tries < 100; tries++) {
        await site(() => window.send({ v: 1, op: 'clear', args: {} }));
        await page.vault.$$eval('[data-testid="remove"]:enabled, [data-state="asking"] [data-testid="remove"]', (all) => all.forEach((one) => one.click()));
        if (!(await page.vault.$('[data-testid="photo"]'))) return;
        await sleep(100);
      }
      throw new Error('the cards stay');
    };
    const task = async (wanted) => {
      await site((args) => window.task(args), wanted);
      const told = JSON.stringify(wanted.params ?? {});
      await page.until(
        (filter, params) => {
          const is = JSON.parse(document.documentElement.dataset.task);
          return is.filter === (filter ?? '') && JSON.stringify(is.params) === params;
        },
        'the task',
        { args: [wanted.filter ?? null, told] },
      );
    };
    const offer = (count) => site((n) => { for (let i = 0; i < n; i++) window.offer(null); }, count); // prettier-ignore
    const asking = () => page.vault.$$eval('[data-state="asking"]', (all) => all.length);
    const asks = (count) =>
      page.until((n) => document.querySelectorAll('[data-state="asking"]').length === n, `${count} that ask`, { args: [count] });
    /** Runs `work` within the time in which a click does not count; if that took too long, tries again. */
    const soon = async (work, undo) => {
      for (let tries = 0; tries < 20; tries++) {
        const start = performance.now();
        await work();
        if (performance.now() - start < 450) return;
        await sleep(700);
        await undo();
      }
      throw new Error('this machine is too slow for this test');
    };
    /** The centre of an element of the vault, on the screen. */
    const place = async (selector) => {
      const element = await page.vault.$(selector);
      await element.evaluate((one) => one.scrollIntoView({ block: 'center' }));
      await site(() => document.querySelector('iframe').scrollIntoView());
      const box = await element.boundingBox();
      const down = Math.max(0, box.y - 500);
      await site((by) => scrollBy(0, by), down);
      await sleep(300); // browsers notice with a delay that a frame has moved
      const { x, y, width, height } = await element.boundingBox();
      return [x + width / 2, y + height / 2];
    };

    it('cannot take letters of a passphrase without being seen', async () => {
      await page.click('protect');
      await page.click('keep-passphrase');
      await page.until(() => document.getElementById('dialog').open, 'the dialog');
      await page.page.mouse.click(...(await place('#dialog-passphrase')));
      await page.page.keyboard.type('cor');
      assert.equal(await page.vault.$eval('#dialog-passphrase', (field) => field.value), 'cor');
      const taken = await site(async () => {
        const input = document.body.appendChild(Object.assign(document.createElement('input'), { id: 'thief' }));
        input.style = 'position:fixed;opacity:0;left:0;top:0';
        input.focus({ preventScroll: true });
        return document.activeElement === input;
      });
      assert.ok(taken);
      await page.page.keyboard.type('r');
      await site(() => {
        document.getElementById('thief').blur();
        document.querySelector('iframe').focus({ preventScroll: true });
      });
      await page.page.keyboard.type('ect horse');
      assert.equal(await page.vault.$eval('#dialog-passphrase', (field) => field.value), '', 'nothing goes on as if nothing had happened');
      assert.match(await page.text('dialog-error'), /took the keyboard. Start again/);
      await page.page.mouse.click(...(await place('#dialog-passphrase')));
      await page.page.keyboard.type('anew');
      assert.equal(await page.vault.$eval('#dialog-passphrase', (field) => field.value), 'anew');
      await page.click('dialog-no');
      await page.click('keep-later');
      await site(() => document.getElementById('thief').remove());
    });

    it('cannot have a click answer a question that has only just appeared', async () => {
      const tall = (pixels) => site((height) => (document.getElementById('vault').height = height), pixels);
      await tall(6000); // nothing scrolls in it
      await page.page.mouse.click(...(await place('#delete-key')));
      await page.until(() => document.getElementById('dialog').open, 'the dialog');
      const yes = await place('#dialog-yes');
      await page.click('dialog-no');
      await soon(
        async () => {
          await page.vault.evaluate(() => document.getElementById('delete-key').focus());
          await page.page.keyboard.press('Enter');
          await page.page.mouse.click(...yes);
        },
        async () => {
          if (await page.vault.$eval('#dialog', (dialog) => dialog.open)) return page.click('dialog-no');
          await page.newKey(2048);
        },
      );
      assert.ok(await page.vault.$eval('#dialog', (dialog) => dialog.open), 'the click came too soon');
      await sleep(700);
      await page.page.mouse.click(...yes);
      await page.until(() => !document.getElementById('dialog').open, 'a click that is meant');
      await tall(1200);
      await begin();
    });

    it('cannot add images just before a click that opens all', async () => {
      await offer(2);
      await asks(2);
      await sleep(1500);
      await site(() => {
        document.body.tabIndex = 0;
        document.body.focus();
        addEventListener('blur', () => { for (let i = 0; i < 30; i++) window.offer(null); }, { once: true }); // prettier-ignore
      });
      const at = await place('#open-all');
      await sleep(700);
      await page.page.mouse.move(...at);
      await page.page.mouse.down();
      await sleep(150);
      await page.page.mouse.up();
      await asks(30);
      await page.done(0);
      await page.done(1);
      await clear();
    });

    it('cannot put an encrypted photo under a click that is coming, nor move those that ask', async () => {
      await site(() => (document.getElementById('vault').height = 6000)); // nothing scrolls in it
      await offer(1);
      await asks(1);
      const at = await place('[data-state="asking"] [data-testid="open"]');
      await clear();
      await soon(async () => {
        await offer(1);
        await asks(1);
        await page.page.mouse.click(...at);
      }, clear);
      await sleep(200);
      assert.equal(await asking(), 1, 'it has only just come');
      assert.match(await page.text('progress-text'), /Click again/);
      await sleep(600);
      const top = () => page.vault.$eval('[data-state="asking"]', (card) => card.getBoundingClientRect().top + scrollY);
      const before = await top();
      await offer(3);
      await asks(4);
      assert.equal(await top(), before);
      await page.page.mouse.click(...(await place('[data-state="asking"] [data-testid="open"]')));
      await page.done(0);
      assert.equal(await asking(), 3);
      await clear();
      await site(() => (document.getElementById('vault').height = 1200));
    });

    it('cannot name what it hands over', async () => {
      await site(async (lie) => {
        const blob = await new Promise((got) => {
          const open = window.open_;
          window.open_ = (file) => ((window.open_ = open), got(file));
          window.offer(null);
        });
        window.send({ v: 1, op: 'open', args: { file: new File([blob], lie) } });
      }, LIE);
      await asks(1);
      assert.equal(await page.vault.$eval('[data-state="asking"] h3', (title) => title.textContent), 'Photo from the site');
      await clear();
    });

    it('cannot have the vault show the site’s sentences: filters', async () => {
      const said = () => page.text('task');
      await task({ ...PLAIN, server: { host: LIE, name: LIE } });
      assert.equal(await said(), 'The server ? will apply this filter: mean radius 1.');
      assert.equal(await page.text('server-line'), 'Server: ?.');
      for (const wrong of [
        { filter: LIE },
        { filter: 'mean', params: { radius: LIE } },
        { filter: 'mean', params: { [LIE]: '1' } },
        { filter: 'mean', params: { radius: '1'.repeat(5000) } },
        { filter: 'constructor' },
      ]) {
        await task({ task: 'filter', params: {}, ...wrong });
        assert.match(await said(), /for a filter that the vault does not know/);
        await page.put(['photo.png', PNG]);
        const { state, error } = await page.ended();
        assert.equal(state, 'failed');
        assert.match(error, /\[(unknown|bad)_filter\]$/);
        assert.ok(!(await page.vault.evaluate(() => document.body.innerText)).includes('compromised'), error);
        assert.ok(error.length < 120, error);
      }
      await task(PLAIN);
      await clear();
    });

    it('cannot have the vault show the site’s sentences: reasons for failures', async () => {
      const failing = async (error) => {
        await site((reason) => {
          window.honest ??= window.transport.exchange;
          window.transport.exchange = async () => { throw reason; }; // prettier-ignore
        }, error);
        const failures = () => site(() => window.heard('failed'));
        const before = (await failures()).length;
        await page.put(['photo.png', PNG]);
        const end = await page.ended();
        assert.equal(end.state, 'failed');
        for (let tries = 0; tries < 50 && (await failures()).length === before; tries++) await sleep(40);
        return [end.error, (await failures()).at(-1).code];
      };
      for (const code of ['x', 'constructor', '__proto__', 'hasOwnProperty', 'internal', 'wrong_passphrase', 'foreign_key', LIE]) {
        const [said, heard] = await failing({ code, message: LIE });
        assert.equal(heard, 'bad_answer', code);
        assert.match(said, /^The site or its server answered with something that the vault does not understand.*\[bad_answer\]$/);
      }
      const [said] = await failing({ code: 'too_busy', message: LIE });
      assert.equal(said, 'The server is busy; try again soon. [too_busy]');
      await site(() => (window.transport.exchange = window.honest));
      await clear();
    });

    it('cannot hide the vault’s texts', async () => {
      const colours = () =>
        page.vault.evaluate(() => ['accent', 'ground', 'panel', 'text', 'soft'].map((one) => document.documentElement.style.getPropertyValue(`--${one}`)).join('|'));
      const refused = () => site(() => window.heard('refused').length);
      // The site hears of it a moment after the vault has taken the task.
      const hears = async (wanted) => {
        for (let tries = 0; tries < 50 && (await refused()) < wanted; tries++) await sleep(40);
        assert.equal(await refused(), wanted);
      };
      for (const look of [
        { text: 'transparent', ground: 'transparent', panel: 'transparent' },
        { panel: 'transparent' },
        { panel: 'rgb(255 255 255 / 50%)' },
        { text: '#888', panel: '#888', ground: '#888' },
        { text: '#000', scheme: 'dark' },
        { ground: '#5f524c', scheme: 'light' },
        { text: 'currentcolor' },
        { text: 'var(--panel)' },
        { panel: 'light-dark(#fff, #fff)' },
        { text: 'rgb(calc(255 * sign(100vw - 500px)) 0 0)', scheme: 'light' },
      ]) {
        const before = await refused();
        await task({ ...PLAIN, look: { accent: '#a00', ...look } });
        assert.equal(await colours(), '||||', JSON.stringify(look));
        await hears(before + 1);
      }
      for (const look of [
        { accent: 'rgb(0 90 200)' },
        { text: '#113', ground: '#eef', panel: 'oklch(99% 0 0)', scheme: 'light' },
        { text: 'light-dark(#111, #eee)', panel: 'light-dark(white, black)' },
        { text: '#eee', ground: '#112', panel: '#000', scheme: 'dark' },
      ]) {
        const before = await refused();
        await task({ ...PLAIN, look });
        assert.notEqual(await colours(), '||||', JSON.stringify(look));
        assert.equal(await refused(), before);
      }
      await task(PLAIN);
      assert.equal(await colours(), '||||');
    });

    it('does not learn how long names are', async () => {
      await site(() => window.task({ task: 'classify', server: { host: 'server.example' } }));
      await page.until(() => !document.getElementById('recognise').hidden, 'the job');
      const heights = async (text) => {
        await page.set('new-name', text);
        await page.click('add-name');
        await page.vault.evaluate((base64) => {
          const dataTransfer = new DataTransfer();
          const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
          for (let i = 0; i < 2; i++) dataTransfer.items.add(new File([bytes], `${i}.png`));
          document.querySelector('[data-testid="person"]').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
        }, encodePng(makePhoto(120, 120, 3, 93)).toString('base64'));
        await page.until(() => document.querySelectorAll('.thumbs li').length === 2, 'the photos');
        await page.until(() => !document.getElementById('add-name').disabled, 'its end');
        const found = [];
        for (const width of [900, 500, 360, 320, 280, 240, 200, 160]) {
          await site((wide) => (document.getElementById('vault').width = wide), width);
          await sleep(250);
          found.push(await page.vault.evaluate(() => Math.ceil(document.body.getBoundingClientRect().height)));
        }
        await site(() => (document.getElementById('vault').width = 900));
        const label = await page.vault.$eval('[data-testid="remove-person"]', (button) => button.getAttribute('aria-label'));
        assert.equal(label, `Remove ${text}`);
        await page.click('remove-person');
        return found;
      };
      const short = await heights('Al');
      for (const long of ['Alexander', 'Mr Bartholomew Featherstonehaugh of the Old Mill at Hampton', 'M'.repeat(60)]) {
        assert.deepEqual(await heights(long), short, long);
      }
      await task(PLAIN);
    });

    it('on a phone, the whole outcome and the fingerprint can be read', async () => {
      await page.put(['broken.png', PNG.subarray(0, 900)]);
      assert.equal((await page.ended()).state, 'failed');
      await site(() => (document.getElementById('vault').width = 340));
      const texts = [en, de].flatMap(({ errors, advice, told }) =>
        [...Object.keys(errors), ...Object.keys(told)].map((code) => `${errors[code] ?? told[code]}. ${advice[code] ?? ''} [${code}]`),
      );
      for (const width of [340, 300, 480, 700, 900]) {
        await site((wide) => (document.getElementById('vault').width = wide), width);
        await sleep(250);
        const cut = await page.vault.evaluate((all) => {
          const box = document.querySelector('.card .outcome');
          const error = box.querySelector('.message');
          const before = error.textContent;
          const found = all.filter((text) => ((error.textContent = text), box.scrollHeight > box.clientHeight + 1));
          error.textContent = before;
          return found;
        }, texts);
        assert.deepEqual(cut, [], `at ${width}`);
        const key = await page.vault.$eval('.key', (box) => [box.scrollHeight, box.clientHeight]);
        assert.ok(key[0] <= key[1] + 1, `the key's facts at ${width}: ${key}`);
      }
      await site(() => (document.getElementById('vault').width = 900));
      const shown = (selector) => page.vault.$$eval(selector, (all) => all.map((one) => getComputedStyle(one).visibility).join());
      assert.equal(await shown('.card .empty'), 'visible,visible');
      assert.equal(await shown('.card [data-word="card.seen"]'), 'hidden');
      await clear();
    });

    it('complained about nothing', () => assert.deepEqual(page.complaints.filter((text) => !/404/.test(text)), []));
  });
}
