// Keys at rest: what a copy of the browser's profile folder opens, and what it does not. The attack is done for real: every
// place in the browser's files is tried as the key of what is stored there. Without protection it succeeds; under a
// passphrase or a passkey it does not.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serveFiles } from './lib/files.mjs';
import { browsers, cli, folder, openBrowser, pageFolder, root, startServer, vaultFolder } from './lib/harness.mjs';
import { needlesOf } from './lib/needles.mjs';
import { makePhoto } from './lib/photos.mjs';
import { encodePng } from './lib/png.mjs';
import { databases, filesOf, liesIn, opened, recordsOf, storedRing } from './lib/profile.mjs';
import { makeNeedles, search } from './lib/search.mjs';

const PASSPHRASE = 'Vardø im Winter, sieben Boote';
const NAME = 'Schlüssel für die Überfahrt';
const photo = makePhoto(31, 24, 3, 91);
const png = encodePng(photo);

/** A key file of each kind, `{ paillier, etc, ckks }`, as lists of bytes. For a page. */
async function keyFiles() {
  const safelight = await window.Safelight.open();
  await safelight.newKey(2048);
  await safelight.newEtcKey();
  await (await safelight.ckks()).newKey('small');
  const files = {};
  for (const kind of ['paillier', 'etc', 'ckks']) {
    files[kind] = [...new Uint8Array(await (await safelight.exportKey({ kind })).arrayBuffer())];
  }
  safelight.close();
  return files;
}

for (const name of browsers) {
  describe(`protected keys by the class API in ${name}`, () => {
    let files, browser, page, keys;
    before(async () => {
      files = await serveFiles({ vault: vaultFolder, page: pageFolder, test: join(root, 'tests/browser/ckks') });
      browser = await openBrowser(name);
      page = await another();
      keys = await page.evaluate(keyFiles);
    });
    after(async () => {
      await browser?.close();
      files?.close();
    });

    /** A page of the same site, with a `Safelight` that keeps keys. */
    async function another(remember = 'protected') {
      const { page: made } = await browser.open(`${files.url}/test/index.html`, { ready: false });
      await made.waitForFunction(() => document.documentElement.dataset.ready);
      await made.evaluate(async (how) => {
        window.safelight = await window.Safelight.open({ remember: how });
        window.state = () => {
          const { keys, protection, locked, key, etcKey, ckksKey } = window.safelight;
          const facts = keys.map(({ name, stored, protected: sealed, exposed }) => ({ name, stored, sealed, exposed }));
          return { facts, protection, locked, used: [key, etcKey, ckksKey].map((one) => one?.name ?? null) };
        };
      }, remember);
      return made;
    }
    const state = (on = page) => on.evaluate(() => window.state());
    const code = (work, ...args) => page.evaluate(`window.code((${work})(...${JSON.stringify(args)}))`);
    const names = ['one', 'two', 'three'];
    const fact = (key) => ({ name: key, stored: true, sealed: true, exposed: false });
    const stored = (on = page) => on.evaluate(storedRing);

    it('stores nothing before somebody has chosen', async () => {
      await page.evaluate(
        async (all, called) => {
          for (const [i, bytes] of all.entries()) {
            await window.safelight.openKey(Uint8Array.from(bytes), { name: called[i] });
          }
        },
        Object.values(keys),
        names,
      );
      const { facts, ...rest } = await state();
      assert.deepEqual(rest, { protection: null, locked: false, used: names });
      assert.ok(facts.every((key) => !key.stored));
      assert.deepEqual(await stored(), { keys: {}, wrap: {}, choice: {} });
    });

    it('protects keys of all kinds', async () => {
      await page.evaluate((passphrase) => window.safelight.protectKeys({ passphrase }), PASSPHRASE);
      assert.deepEqual(await state(), { facts: names.map(fact), protection: 'passphrase', locked: false, used: names });
      const ring = await stored();
      assert.deepEqual(Object.keys(ring.wrap), ['lock']);
      assert.match(Buffer.from(ring.wrap.lock.file).toString('latin1'), /^age-encryption\.org\/v1\n-> scrypt \S+ 17\n/);
      assert.equal(Object.keys(ring.keys).length, 3);
      for (const record of Object.values(ring.keys)) assert.ok(!('name' in record) && record.lock === ring.wrap.lock.id);
    });

    it('a new page has to unlock them, with the passphrase only', async () => {
      await page.evaluate(() => window.safelight.close());
      page = await another();
      const { facts, ...rest } = await state();
      assert.deepEqual(rest, { protection: 'passphrase', locked: true, used: [null, null, null] });
      assert.deepEqual(facts, names.map(() => fact('')));
      assert.equal(await code('() => safelight.useKey(safelight.keys[0].fingerprint)'), 'locked');
      assert.equal(await code('() => safelight.renameKey(safelight.keys[0].fingerprint, "x")'), 'locked');
      assert.equal(await code('() => safelight.protectKeys({ unprotected: true })'), 'locked');
      assert.equal(await code('() => safelight.protectKeys({ passphrase: "my own" })'), 'locked');
      assert.equal(await code('() => safelight.unlockKeys({ passphrase: "a guess" })'), 'wrong_passphrase');
      assert.equal(await code('() => safelight.unlockKeys({ passphrase: "" })'), 'wrong_passphrase');
      assert.equal(await code('() => safelight.unlockKeys()'), 'bad_argument');
      assert.equal((await state()).locked, true);
      const cancelled = `(passphrase) => {
        const job = new AbortController();
        setTimeout(() => job.abort(), 20);
        return safelight.unlockKeys({ passphrase, signal: job.signal });
      }`;
      assert.equal(await code(cancelled, PASSPHRASE), 'cancelled');
      assert.equal((await state()).locked, true);
      assert.equal(await code('(passphrase) => safelight.unlockKeys({ passphrase })', PASSPHRASE), 'none');
      assert.deepEqual(await state(), { facts: names.map(fact), protection: 'passphrase', locked: false, used: names });
      const number = await page.evaluate(async () => {
        const ckks = await window.safelight.ckks();
        return Math.round((await ckks.decrypt(await ckks.encrypt([7])))[0]);
      });
      assert.equal(number, 7);
    });

    it('a key that comes while they are locked is stored when they are unlocked', async () => {
      const other = await another();
      const made = await other.evaluate(async (passphrase) => {
        await window.safelight.newEtcKey({ name: 'four' });
        const before = window.safelight.etcKey.stored;
        await window.safelight.unlockKeys({ passphrase });
        const { stored, protected: sealed, fingerprint } = window.safelight.etcKey;
        await window.safelight.deleteKey(fingerprint);
        await window.safelight.useKey(window.safelight.keys.find(({ kind }) => kind === 'etc').fingerprint);
        window.safelight.close();
        return { before, stored, sealed };
      }, PASSPHRASE);
      assert.deepEqual(made, { before: false, stored: true, sealed: true });
      await other.close();
    });

    it('locks all pages of the site', async () => {
      const other = await another();
      await other.evaluate((passphrase) => window.safelight.unlockKeys({ passphrase }), PASSPHRASE);
      await page.evaluate(() => window.safelight.lockKeys());
      assert.deepEqual((await state()).used, [null, null, null]);
      await other.waitForFunction(() => window.safelight.locked && !window.safelight.key);
      await other.close();
      await page.evaluate((passphrase) => window.safelight.unlockKeys({ passphrase }), PASSPHRASE);
    });

    it('a changed passphrase is the only one that opens them, a removed one is not needed', async () => {
      const before = recordsOf(await stored());
      await page.evaluate(() => window.safelight.protectKeys({ passphrase: 'another one entirely' }));
      const after = recordsOf(await stored());
      for (const [i, { iv, data }] of after.entries()) {
        assert.notDeepEqual(iv, before[i].iv);
        assert.notDeepEqual(data, before[i].data);
      }
      await page.evaluate(() => window.safelight.lockKeys());
      assert.equal(await code('(passphrase) => safelight.unlockKeys({ passphrase })', PASSPHRASE), 'wrong_passphrase');
      assert.equal(await code('() => safelight.unlockKeys({ passphrase: "another one entirely" })'), 'none');
      await page.evaluate(() => window.safelight.protectKeys({ unprotected: true }));
      assert.equal(await code('() => safelight.lockKeys()'), 'bad_argument');
      const { facts, protection, used } = await state();
      assert.deepEqual([protection, used], ['none', names]);
      assert.ok(facts.every(({ sealed, exposed }) => !sealed && exposed));
      const ring = await stored();
      assert.deepEqual(Object.keys(ring.wrap), ['aes']);
      assert.ok(Object.values(ring.keys).every((record) => record.name && !record.lock && !record.title));
    });

    it('deletes everything for those who have lost the passphrase', async () => {
      await page.evaluate(() => window.safelight.protectKeys({ passphrase: 'soon to be lost' }));
      assert.ok((await state()).facts.every(({ sealed, exposed }) => sealed && exposed), 'they were unprotected once');
      await page.evaluate(() => window.safelight.lockKeys());
      await page.evaluate(() => window.safelight.clearKeys());
      assert.deepEqual(await state(), { facts: [], protection: null, locked: false, used: [null, null, null] });
      assert.deepEqual(await stored(), { keys: {}, wrap: {}, choice: {} });
    });

    it('opens what the version before has stored, says that it is unprotected, and protects it', async () => {
      await page.evaluate(() => window.safelight.close());
      await page.evaluate(
        async (all) => {
          const base = await new Promise((resolve) => {
            indexedDB.open('safelight').onsuccess = ({ target }) => resolve(target.result);
          });
          const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
          const records = [];
          for (const [kind, bytes] of Object.entries(all)) {
            const file = Uint8Array.from(bytes);
            const safelight = await window.Safelight.open();
            const { fingerprint, bits, set } = await safelight.openKey(file);
            safelight.close();
            const iv = crypto.getRandomValues(new Uint8Array(12));
            const additionalData = new TextEncoder().encode(fingerprint);
            const data = await crypto.subtle.encrypt({ name: 'AES-GCM', length: 256, iv, additionalData }, aes, file);
            const old = kind === 'paillier' ? {} : { kind, ...(set && { set }) };
            records.push({ fingerprint, ...old, name: kind, bits, created: records.length, exported: false, sealed: { iv, data } });
          }
          const names = ['keys', 'wrap', 'choice'];
          const transaction = base.transaction(names, 'readwrite');
          const [keys, wrap, choice] = names.map((store) => transaction.objectStore(store));
          wrap.put(aes, 'aes');
          for (const record of records) {
            keys.put(record);
            choice.put(record.fingerprint, record.kind ? `${record.kind} ` : '');
          }
          await new Promise((resolve) => (transaction.oncomplete = resolve));
          base.close();
        },
        keys,
      );
      page = await another();
      const used = ['paillier', 'etc', 'ckks'];
      const old = (sealed) => used.map((key) => ({ name: key, stored: true, sealed, exposed: true }));
      assert.deepEqual(await state(), { facts: old(false), protection: 'none', locked: false, used });
      await page.evaluate((passphrase) => window.safelight.protectKeys({ passphrase }), PASSPHRASE);
      assert.deepEqual(await state(), { facts: old(true), protection: 'passphrase', locked: false, used });
      assert.deepEqual(Object.keys((await stored()).wrap), ['lock']);
      await page.evaluate(() => window.safelight.clearKeys());
    });

    it('without a choice keys are stored at once, where the app wants it so', async () => {
      await page.evaluate(() => window.safelight.close());
      page = await another(true);
      await page.evaluate(() => window.safelight.newEtcKey({ name: 'bare' }));
      const { facts, protection } = await state();
      assert.deepEqual([facts, protection], [[{ name: 'bare', stored: true, sealed: false, exposed: true }], 'none']);
      assert.equal(await code('() => safelight.protectKeys()'), 'bad_argument');
      assert.equal(await code('() => safelight.protectKeys({ passphrase: "one", unprotected: true })'), 'bad_argument');
      await page.evaluate(() => window.safelight.clearKeys());
    });
  });
}
