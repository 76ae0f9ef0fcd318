// A site that embeds the vault and wants the photos: it sees every message, tries everything that a page can try, and
// gets nothing. The recorder searches everything that it got. The vault reports what happened, and keeps working.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, openBrowser, root, serve, startServer } from './lib/harness.mjs';
import { needlesOf } from './lib/needles.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';
import { startRecorder } from './lib/recorder.mjs';
import { search } from './lib/search.mjs';

const FILE = 'Hochzeit auf Hiddensee, geheim-51d0.png';
const KEY_NAME = 'Schlüssel für Hiddensee';
const PASSPHRASE = 'nur unter dem Sternenzelt 1862';

for (const name of browsers) {
  describe(`hostile sites in ${name}`, () => {
    const photo = makePhoto(48, 33, 4, 78);
    const png = encodePng(photo);
    let server, recorder, browser, page, key;
    before(async () => {
      server = await serve({ page: join(root, 'tests/browser/hostile') });
      recorder = await startRecorder(server.url);
      browser = await openBrowser(name, { proxy: recorder.port });
      page = await browser.open(server.url, { ready: false });
      await page.page.evaluate(() => window.embed());
      await page.ready();
      await page.newKey(2048);
    });
    after(async () => {
      await browser?.close();
      await recorder?.stop();
      await server?.stop();
    });

    const says = (pattern) =>
      page.until(
        (source) => new RegExp(source).test(document.querySelector('[data-testid="message"]').textContent),
        String(pattern),
        { args: [pattern.source] },
      );

    it('the work is done for it all the same', async () => {
      await page.put([FILE, png]);
      await page.done();
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), expected('mean', {}, [photo]));
      await page.click('rename-key');
      await page.set('dialog-name', KEY_NAME);
      await page.click('dialog-yes');
      await page.until((wanted) => document.body.innerText.includes(wanted), 'the new name', { args: [KEY_NAME] });
      await page.savedKey(PASSPHRASE);
      key = await page.savedKey();
    });

    it('cannot reach into the frame, its storage or its workers', async () => {
      assert.deepEqual(await page.page.evaluate(() => window.grab()), {});
    });

    it('gets no answer to messages that no honest element sends', async () => {
      await page.page.evaluate(() => window.nonsense());
      await says(/does not understand/);
    });

    it('cannot connect a second time, or in another’s name', async () => {
      await page.page.evaluate(() => window.spoof());
      await says(/a second time/);
    });

    it('hears of a result, but not whether it could be opened', async () => {
      const told = () => page.page.evaluate(() => [window.heard('done').length, window.heard('failed').length]);
      const before = await told();
      await page.page.evaluate(() => window.answerWith([1, 2, 3]));
      await page.put([FILE, png]);
      assert.equal((await page.ended()).state, 'failed');
      await page.page.evaluate(() => window.answerWith(null));
      await page.page.evaluate(() => window.open_(new Blob(['no encrypted image at all, but long enough to look'])));
      await page.until(() => document.querySelector('[data-state="asking"]') !== null, 'the question');
      await page.click('open', 0);
      assert.equal((await page.ended()).state, 'failed');
      assert.deepEqual(await told(), [before[0] + 1, before[1]]);
    });

    it('everything that it got contains no secret', async () => {
      const count = await page.page.evaluate(() => window.steal());
      assert.ok(count > 10, `only ${count} messages were heard`);
      const needles = await needlesOf({
        keyFile: key.bytes,
        pictures: [photo, expected('mean', {}, [photo])],
        texts: [FILE, 'geheim-51d0', KEY_NAME, PASSPHRASE],
      });
      const recorded = recorder.recorded();
      assert.deepEqual(search(needles.secret, recorded), []);
      assert.deepEqual(search(needles.open, recorded), ['modulus n'], 'the encrypted photo must have been stolen');
      assert.ok(recorder.requests.filter((line) => line.includes('/v1/stolen')).length > 2);
    });

    it('a script in the vault itself would find no way out', async () => {
      // As if a script had been injected into the vault: it tries every way to send a mark, which must not be seen.
      const tried = await page.vault.evaluate(async (there) => {
        const mark = `${there}exfiltrated`;
        const attempts = {
          fetch: () => fetch(mark, { mode: 'no-cors' }),
          request: () =>
            new Promise((yes, no) => {
              const xhr = new XMLHttpRequest();
              Object.assign(xhr, { onload: yes, onerror: no });
              xhr.open('GET', mark);
              xhr.send();
            }),
          image: () => new Promise((yes, no) => Object.assign(new Image(), { onload: yes, onerror: no, src: `${mark}.png` })),
          socket: () => new WebSocket(mark.replace('http', 'ws')),
          events: () =>
            new Promise((yes, no) => Object.assign(new EventSource(mark), { onopen: yes, onerror: no })),
          peer: () => new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:3478' }] }),
          module: () => import(mark),
          worker: () =>
            new Promise((yes, no) => Object.assign(new Worker(mark), { onmessage: yes, onerror: no })),
          evaluation: () => eval('1'),
          top: () => (top.location.href = mark),
          popup: () => {
            if (!open(mark)) throw new Error('refused');
          },
          form: () => {
            const form = Object.assign(document.createElement('form'), { action: mark, method: 'post' });
            document.body.append(form);
            form.submit();
            form.remove();
            throw new Error('it is silent'); // the recorder shows whether anything was sent
          },
        };
        const got = [];
        for (const [name, attempt] of Object.entries(attempts)) {
          await Promise.resolve()
            .then(attempt)
            .then(() => got.push(name))
            .catch(() => {});
        }
        navigator.sendBeacon?.(mark, 'x'); // if it exists, it returns true and sends nothing; the recorder shows that
        return got;
      }, `${server.url}/`);
      assert.deepEqual(tried, []);
      assert.deepEqual(recorder.requests.filter((line) => line.includes('exfiltrated')), []);
    });

    it('cannot give the vault data in its address', async () => {
      for (const tail of ['?key=export', '#open=1']) {
        await page.page.evaluate((where) => window.navigate(where), tail);
        await page.until((where) => location.href.endsWith(where), 'the frame to move', { args: [tail] });
        await says(/carried data/);
      }
    });

    it('a site that the operator has not named cannot embed the vault', async () => {
      const other = await startServer(); // its vault allows only its own page
      const stranger = await serve({ page: join(root, 'tests/browser/hostile') });
      const visitor = await openBrowser(name);
      try {
        const visit = await visitor.open(stranger.url, { ready: false });
        const framed = await visit.page.evaluate(
          (vault) =>
            new Promise((resolve) => {
              addEventListener('message', ({ data }) => data?.safelight && resolve(true));
              const frame = Object.assign(document.createElement('iframe'), { src: vault });
              document.body.append(frame);
              setTimeout(() => resolve(false), 3000);
            }),
          other.url.replace('127.0.0.1', 'localhost'),
        );
        assert.equal(framed, false);
      } finally {
        await visitor.close();
        await stranger.stop();
        await other.stop();
      }
    });
  });
}
