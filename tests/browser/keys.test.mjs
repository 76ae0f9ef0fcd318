// The key ring: keys are stored, named, switched, saved, opened and deleted.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, cli, folder, openBrowser, root, serve, startServer } from './lib/harness.mjs';
import { needlesOf } from './lib/needles.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';
import { startRecorder } from './lib/recorder.mjs';
import { search } from './lib/search.mjs';

const PASSPHRASE = 'drei Fässer unter der Treppe';

for (const name of browsers) {
  describe(`keys in ${name}`, () => {
    const photo = makePhoto(31, 24, 3, 91);
    const png = encodePng(photo);
    let server, browser, page, first, second;
    before(async () => {
      server = await startServer();
      browser = await openBrowser(name);
      page = await browser.open(server.url);
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    const works = async (on = page) => {
      await on.filter('mean', { radius: 1 });
      await on.put(['photo.png', png]);
      await on.done();
      assert.deepEqual(decodePng((await on.saved('picture', 0)).bytes), expected('mean', {}, [photo]));
    };
    const shown = (text, on = page) =>
      on.until((wanted) => document.body.innerText.includes(wanted), text, { args: [text] });
    const print = async (on = page) => (await on.text('fingerprint')).split(' ')[1];
    const has = (fingerprint, on = page) =>
      on.until((wanted) => document.getElementById('key-print').textContent.endsWith(wanted), 'the key', {
        args: [fingerprint],
      });
    const hidden = (testid) => page.vault.$eval(`[data-testid="${testid}"]`, (element) => element.hidden);
    const chooseKey = async (fingerprint) => {
      await page.until(() => !document.getElementById('ring-block').disabled, 'the ring, which rests while a photo is in work');
      await page.vault.evaluate((wanted) => document.getElementById(`ring-${wanted}`).click(), fingerprint);
    };
    const reload = async () => {
      await page.page.reload({ waitUntil: 'load' });
      await page.ready();
    };

    it('asks to save the key file as soon as something depends on it', async () => {
      assert.equal(await hidden('reminder'), true);
      await page.newKey(2048);
      assert.equal(await hidden('reminder'), true);
      await works();
      await page.until(() => !document.getElementById('reminder').hidden, 'the reminder');
      await page.screenshots(`${name}-reminder`);
      await page.click('reminder-export');
      await page.screenshots(`${name}-export`);
      await page.set('dialog-passphrase', PASSPHRASE);
      await page.set('dialog-again', `${PASSPHRASE}.`);
      await page.click('dialog-yes');
      assert.match(await page.text('dialog-error'), /do not match/);
      for (const field of ['dialog-passphrase', 'dialog-again']) await page.set(field, 'short');
      await page.click('dialog-yes');
      assert.match(await page.text('dialog-error'), /at least 8/);
      for (const field of ['dialog-passphrase', 'dialog-again']) await page.set(field, PASSPHRASE);
      first = { ...(await page.saved('dialog-yes')), print: await print() };
      assert.match(first.name, /^safelight-[0-9a-f]{8}\.key\.age$/);
      assert.match(first.bytes.toString('latin1'), /^age-encryption\.org\/v1\n-> scrypt /);
      await page.until(() => document.getElementById('reminder').hidden, 'the reminder to go');
    });

    it('the command line opens the protected file, and writes one', async () => {
      const at = (file) => join(folder(), file);
      const passphrase = at('passphrase');
      writeFileSync(passphrase, PASSPHRASE);
      const publicKey = at('first.pub');
      await cli('pubkey', first.path, '--passphrase-file', passphrase, '--out', publicKey);
      assert.ok(readFileSync(publicKey).includes(Buffer.from(first.print, 'hex')), 'the same key id');
      const file = at('cli.key.age');
      await cli('keygen', 'paillier', '--bits', '2048', '--passphrase', '--passphrase-file', passphrase, '--out', file);
      second = { path: file };
    });

    it('keeps the key over a reload', async () => {
      await reload();
      assert.equal(await print(), first.print);
      assert.match(await page.text('key-state'), /stored in this browser$/);
      await works();
    });

    it('opens a protected file with its passphrase only', async () => {
      await page.choose('open-key', second.path);
      await page.until(() => document.getElementById('dialog').open, 'the dialog');
      await page.set('dialog-passphrase', 'a guess of mine');
      await page.click('dialog-yes');
      await page.until(() => /\[wrong_passphrase\]/.test(document.getElementById('dialog-error').textContent), 'the error');
      await page.set('dialog-passphrase', PASSPHRASE);
      await page.click('dialog-yes');
      await page.until((old) => !document.getElementById('key-print').textContent.endsWith(old), 'another key', {
        args: [first.print],
      });
      second.print = await print();
      await works();
      assert.equal(await hidden('reminder'), true, 'it came from a file');
    });

    it('names keys and switches between them; the last one is the site’s default', async () => {
      await page.click('rename-key');
      await page.set('dialog-name', 'From the command line');
      await page.click('dialog-yes');
      await shown('From the command line, 2048 bits');
      await page.vault.evaluate(() => (document.getElementById('more-keys').open = true));
      await chooseKey(first.print);
      await has(first.print);
      await page.screenshots(`${name}-keys`);
      await works();
      await reload();
      assert.equal(await print(), first.print);
      await page.vault.evaluate(() => (document.getElementById('more-keys').open = true));
      await shown('From the command line');
    });

    it('scripts cannot read the stored keys', async () => {
      const key = await page.savedKey();
      const { bytes, extractable } = await page.vault.evaluate(async () => {
        const base = await new Promise((resolve) => {
          indexedDB.open('safelight').onsuccess = ({ target }) => resolve(target.result);
        });
        const all = (store) =>
          new Promise((resolve) => {
            base.transaction(store).objectStore(store).getAll().onsuccess = ({ target }) => resolve(target.result);
          });
        const [keys, wraps] = [await all('keys'), await all('wrap')];
        base.close();
        const parts = keys.flatMap((record) => [
          ...new TextEncoder().encode(JSON.stringify(record)),
          ...record.sealed.iv,
          ...new Uint8Array(record.sealed.data),
        ]);
        const refused = await crypto.subtle.exportKey('raw', wraps[0]).then(
          () => false,
          () => true,
        );
        return { bytes: parts, extractable: wraps[0].extractable || !refused };
      });
      assert.equal(extractable, false);
      assert.ok(bytes.length > 1000, 'two records');
      const { secret } = await needlesOf({ keyFile: key.bytes, pictures: [photo], texts: [PASSPHRASE] });
      assert.deepEqual(search(secret, [Buffer.from(bytes)]), []);
    });

    it('deletes a key for good, and the site’s other pages let go of it', async () => {
      const other = await browser.open(server.url);
      assert.equal(await print(other), first.print);
      await page.page.bringToFront(); // browsers draw nothing of pages in the background
      const wrap = () =>
        page.vault.evaluate(async () => {
          const base = await new Promise((resolve) => {
            indexedDB.open('safelight').onsuccess = ({ target }) => resolve(target.result);
          });
          const [keys, wrap] = await Promise.all(
            ['keys', 'wrap'].map(
              (store) =>
                new Promise((resolve) => {
                  base.transaction(store).objectStore(store).getAll().onsuccess = ({ target }) => resolve(target.result);
                }),
            ),
          );
          base.close();
          const [{ sealed, fingerprint }] = keys;
          const opens = await crypto.subtle
            .decrypt(
              { name: 'AES-GCM', iv: sealed.iv, additionalData: new TextEncoder().encode(fingerprint) },
              wrap[0],
              sealed.data,
            )
            .then(
              () => true,
              () => false,
            );
          return { prints: keys.map((key) => key.fingerprint), opens, iv: [...sealed.iv].join() };
        });
      const before = await wrap();
      await page.click('delete-key');
      await page.click('dialog-no');
      assert.equal(await print(), first.print, 'it can be thought over');
      await page.click('delete-key');
      await page.screenshots(`${name}-delete`);
      await page.click('dialog-yes');
      await page.until(() => document.getElementById('key-print').textContent === '', 'the key to go');
      await other.until(() => document.getElementById('key-print').textContent === '', 'the other page’s key to go');
      const now = await wrap();
      assert.deepEqual(now.prints, [second.print]);
      assert.ok(now.opens && now.iv !== before.iv, 'the other key is sealed anew');
      await other.page.close();
      await reload();
      assert.match(await page.text('key-state'), /No key in use/);
      await chooseKey(second.print);
      await has(second.print);
      await works();
    });

    it('says so when the browser’s storage was cleared while the page was open', async () => {
      await page.vault.evaluate(
        () => new Promise((resolve) => (indexedDB.deleteDatabase('safelight').onsuccess = resolve)),
      );
      await works();
      await page.until(() => /in this tab only/.test(document.getElementById('key-state').textContent), 'the warning');
      await page.newKey(2048);
      assert.match(await page.text('key-state'), /stored in this browser/);
    });
  });

  it(`a browser that stores nothing, in ${name}`, async () => {
    const server = await startServer();
    // As if third-party storage were blocked: the database cannot be opened.
    const rewrite = (path, text) => (path === '/client/database.js' ? text.replace('indexedDB.open', 'nowhere.open') : text);
    const recorder = await startRecorder(server.url, { rewrite });
    const browser = await openBrowser(name, { proxy: recorder.port });
    try {
      const page = await browser.open(server.url);
      await page.newKey(2048);
      assert.match(await page.text('key-state'), /in this tab only/);
      assert.match(await page.text('storage'), /refuses to store keys/);
      await page.filter('mean', { radius: 1 });
      await page.put(['photo.png', encodePng(makePhoto(20, 20, 1, 3))]);
      await page.done();
      await page.until(() => !document.getElementById('reminder').hidden, 'the reminder');
      await page.click('reminder-later');
      assert.equal(await page.vault.$eval('#reminder', (element) => element.hidden), false, 'it would be lost');
      await page.click('new-key');
      await page.until(() => document.getElementById('dialog').open, 'a question');
      await page.click('dialog-no');
      await page.savedKey();
      await page.newKey(2048); // no question now
    } finally {
      await browser.close();
      await recorder.stop();
      await server.stop();
    }
  });

  it(`a frame whose storage ends with it, in ${name}`, { skip: name === 'firefox' && 'it has no such frames' }, async () => {
    const server = await serve({ page: join(root, 'tests/browser/hostile') });
    const browser = await openBrowser(name);
    try {
      const page = await browser.open(server.url, { ready: false });
      await page.page.evaluate(() => window.embed({ credentialless: true }));
      await page.ready();
      assert.equal(await page.vault.evaluate(() => window.credentialless), true);
      await page.newKeyUndecided(2048);
      assert.equal(await page.vault.$eval('#keep', (element) => element.hidden), true, 'there is nothing to choose');
      assert.match(await page.text('key-state'), /in this tab only/);
      assert.match(await page.text('storage'), /refuses to store keys/);
    } finally {
      await browser.close();
      await server.stop();
    }
  });

  it(`no passphrase is offered to the browser, in ${name}`, async () => {
    const server = await startServer();
    const browser = await openBrowser(name);
    try {
      const page = await browser.open(server.url);
      const asked = async (advised) => {
        await page.until(() => document.getElementById('dialog').open, 'the dialog');
        const fields = await page.vault.$$eval('#dialog input', (all) => all.map((field) => field.getAttribute('autocomplete')));
        assert.deepEqual([...new Set(fields)], ['off']);
        if (advised) assert.match(await page.vault.$eval('#dialog-text', (element) => element.textContent), /offers to save the passphrase, decline/);
        await page.click('dialog-no');
      };
      await page.newKeyUndecided(2048);
      await page.click('keep-passphrase');
      await asked(true);
      await page.click('save-key');
      await asked(false);
      await page.protectBy(PASSPHRASE);
      await page.click('lock');
      await page.until(() => !document.getElementById('unlock').hidden, 'the lock');
      await page.click('unlock');
      await asked(true);
      const [passphrase, file] = [join(folder(), 'passphrase'), join(folder(), 'etc.age')];
      writeFileSync(passphrase, `${PASSPHRASE}\n`);
      await cli('keygen', 'etc', '--passphrase', '--passphrase-file', passphrase, '--out', file);
      await page.choose('open-key', file);
      await asked(false);
    } finally {
      await browser.close();
      await server.stop();
    }
  });
}
