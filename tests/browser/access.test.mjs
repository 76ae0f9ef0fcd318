// WCAG 2.2 AA, as far as a program can check it: axe finds nothing in any state, light and dark, wide and narrow.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { asideOf, browsers, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { encodePng } from './lib/png.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

for (const name of browsers) {
  describe(`access in ${name}`, () => {
    let server, browser, page;
    before(async () => {
      server = await startServer();
      browser = await openBrowser(name);
      page = await browser.open(server.url);
      for (const realm of realms()) await realm.evaluate(axe);
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    const realms = () => [page.page.mainFrame(), page.vault].map(asideOf);

    /** Fails with the problems that axe finds in the page and in the vault, which are checked separately. */
    async function clean() {
      for (const realm of realms()) {
        const found = await realm.evaluate(async (tags) => {
          const { violations, passes } = await window.axe.run(document, { runOnly: tags, iframes: false });
          if (passes.length < 10) return [`axe has looked at ${passes.length} rules only`];
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`);
        }, RULES);
        assert.deepEqual(found, []);
      }
    }

    it('when it is empty', clean);
    it('when a key waits to be kept, in the dialogs of that, and when it is locked', async () => {
      await page.newKeyUndecided(2048);
      await clean();
      await page.click('keep-passphrase');
      await page.set('dialog-passphrase', 'weak');
      await clean();
      await page.click('dialog-no');
      await page.protectBy('seven words of no meaning at all');
      await clean();
      await page.click('lock');
      await page.until(() => !document.getElementById('unlock').hidden, 'the lock');
      await clean();
      await page.click('unlock');
      await page.set('dialog-passphrase', 'a guess of mine');
      await page.click('dialog-yes');
      await page.until(() => document.getElementById('dialog-error').textContent, 'the error');
      await clean();
      await page.set('dialog-passphrase', 'seven words of no meaning at all');
      await page.click('dialog-yes');
      await page.until(() => document.getElementById('unlock').hidden, 'the keys');
    });
    it('while it works', async () => {
      await page.slowFilter();
      await page.put(['large.png', encodePng(makePhoto(300, 200, 3, 9))]);
      await page.until(() => /Encrypting/.test(document.querySelector('.card .card-status').textContent), 'encryption');
      await clean();
      await page.click('cancel-all');
      await page.ended();
    });
    it('when it is done', async () => {
      await page.filter('mean', { radius: 1 });
      await page.put(['small.png', encodePng(makePhoto(60, 40, 3, 9))]);
      await page.done();
      await page.vault.evaluate(() => document.querySelectorAll('details').forEach((part) => (part.open = true)));
      await clean();
    });
    it('when something went wrong', async () => {
      await page.put(['text', Buffer.from('I am not a photo, I only say so, for long enough.')]);
      await page.ended();
      await clean();
      await page.click('clear');
    });
    for (const button of ['save-key', 'rename-key', 'delete-key']) {
      it(`in the dialog of ${button}`, async () => {
        await page.click(button);
        await clean();
        await page.click('dialog-no');
      });
    }
    it('with a filter of two photos', async () => {
      await page.filter('blend', { share: 30 });
      await page.until(() => !document.getElementById('second-block').hidden, 'the second photo');
      await clean();
    });
    it('in German, on a phone', async () => {
      await page.set('language', 'de');
      await page.page.setViewport({ width: 360, height: 740 });
      await page.until(() => document.documentElement.lang === 'de', 'German');
      await clean();
    });
    it('in the dark', { skip: name === 'firefox' && 'the driver cannot ask for it there' }, async () => {
      await page.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
      await clean();
    });
  });
}
