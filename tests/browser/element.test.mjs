// <safe-light> as a site uses it: attributes, events, methods, forms, colours, languages.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';
import { de } from '../../www/vault/words/de.js';
import { en } from '../../www/vault/words/en.js';

for (const name of browsers) {
  describe(`the element in ${name}`, () => {
    const photo = makePhoto(33, 26, 3, 61);
    const png = encodePng(photo);
    let server, browser, page;
    before(async () => {
      server = await startServer();
      browser = await openBrowser(name);
      page = await browser.open(server.url);
      await page.newKey(2048);
      await page.filter('mean', { radius: 1 });
      await page.page.evaluate(() => {
        window.events = [];
        const element = document.querySelector('safe-light');
        for (const type of ['progress', 'done', 'error'])
          element.addEventListener(type, ({ detail }) => window.events.push({ type, ...detail }));
      });
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });
    const attribute = (key, value) =>
      page.page.$eval(
        'safe-light',
        (element, k, v) => (v === null ? element.removeAttribute(k) : element.setAttribute(k, v)),
        key,
        value,
      );
    const told = (key, value) =>
      page.until(
        (k, v) => JSON.parse(document.documentElement.dataset.task)[k] === v,
        `the vault to hear of ${key}`,
        { args: [key, value] },
      );
    const events = () =>
      page.page.evaluate(() => window.events.splice(0).map((event) => ({ ...event, upload: event.upload?.size, reply: event.reply?.size })));

    it('tells how the work goes, and hands out the encrypted files', async () => {
      await page.put(['photo.png', png]);
      await page.done();
      await page.until(() => window.events.some(({ type }) => type === 'done'), 'the event', { where: () => page.page.mainFrame() });
      const heard = await events();
      const phases = [...new Set(heard.filter(({ type }) => type === 'progress').map(({ phase }) => phase))];
      assert.deepEqual(phases, ['decode', 'encrypt', 'upload', 'filter', 'download']);
      const { width, height, upload, reply } = heard.at(-1);
      assert.deepEqual([width, height], [33, 26]);
      assert.ok(upload > 5000 && reply > 5000, `${upload} ${reply}`);
      assert.ok(!JSON.stringify(heard).includes('photo.png'), 'no name of a file');
    });

    it('is the value of a form: the encrypted result', async () => {
      const value = await page.page.evaluate(() => {
        const element = document.querySelector('safe-light');
        const form = document.createElement('form');
        element.setAttribute('name', 'photo');
        document.body.append(form);
        form.id = 'upload';
        element.setAttribute('form', 'upload');
        const file = new FormData(form).get('photo');
        const was = { name: file?.name, type: file?.type, size: file?.size, reply: element.reply.size, form: element.form?.id };
        form.reset();
        return { ...was, afterwards: new FormData(form).get('photo') };
      });
      assert.equal(value.size, value.reply);
      assert.deepEqual([value.name, value.type, value.form], ['photo.slt', 'application/vnd.safelight', 'upload']);
      assert.equal(value.afterwards, null, 'a form that is reset is empty');
    });

    it('job="encrypt" asks no server, and the site gets the encrypted photo', async () => {
      await attribute('job', 'encrypt');
      await told('task', 'encrypt');
      await page.put(['photo.png', png]);
      await page.done();
      await page.until(() => window.events.some(({ type }) => type === 'done'), 'the event', { where: () => page.page.mainFrame() });
      const heard = await events();
      assert.ok(!heard.some(({ phase }) => phase === 'upload'));
      assert.deepEqual([heard.at(-1).reply, heard.at(-1).upload > 10_000], [undefined, true]);
    });

    it('opens what the site has stored, for the user alone', async () => {
      await page.page.$eval('safe-light', (element) => element.open(element.upload));
      await page.until(() => document.querySelectorAll('.card')[0]?.dataset.state === 'asking', 'the question');
      await page.click('open', 0);
      await page.until(() => document.querySelectorAll('.card')[0]?.dataset.state === 'done', 'the opened photo');
      assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), photo);
      assert.deepEqual(await events(), [], 'the site hears nothing of it');
      await attribute('job', null);
      await told('task', 'filter');
    });

    it('pauses, cancels and clears', async () => {
      await page.slowFilter();
      await page.put(['large.png', encodePng(makePhoto(300, 200, 3, 9))]);
      await page.until(() => /Encrypting/.test(document.querySelector('.card-status').textContent + document.querySelector('.card .card-status').textContent), 'encryption');
      const does = (method) => page.page.$eval('safe-light', (element, act) => element[act](), method);
      await does('pause');
      await page.until(() => /Paused/.test(document.getElementById('total-text').textContent), 'the pause');
      await does('resume');
      await does('cancel');
      assert.equal((await page.ended()).state, 'cancelled');
      await page.until(() => window.events.some(({ type }) => type === 'error'), 'the event', { where: () => page.page.mainFrame() });
      assert.equal((await events()).at(-1).code, 'cancelled');
      await does('clear');
      await page.until(() => document.querySelectorAll('.card').length === 0, 'an empty list');
      await page.filter('mean', { radius: 1 });
    });

    it('a bad filter is an error with a code, for the site too', async () => {
      await attribute('radius', 'wide');
      await page.until(() => JSON.parse(document.documentElement.dataset.task).params.radius === 'wide', 'the radius');
      await page.put(['photo.png', png]);
      assert.match((await page.ended()).error, /\[bad_filter\]/);
      await page.until(() => window.events.some(({ type }) => type === 'error'), 'the event', { where: () => page.page.mainFrame() });
      assert.deepEqual((await events()).at(-1).code, 'bad_filter');
      await page.filter('mean', { radius: 1 });
    });

    it('takes the site’s colours, where they are colours', async () => {
      await page.page.evaluate(() => {
        const { style } = document.querySelector('safe-light');
        style.setProperty('--safelight-accent', 'rgb(0 90 200)');
        style.setProperty('--safelight-panel', 'url(/v1/spy)');
      });
      await attribute('theme', 'dark');
      await page.until(() => document.documentElement.dataset.scheme === 'dark', 'the scheme');
      const { accent, panel } = await page.vault.evaluate(() => {
        const { style } = document.documentElement;
        return { accent: style.getPropertyValue('--accent'), panel: style.getPropertyValue('--panel') };
      });
      assert.deepEqual([accent, panel], ['rgb(0 90 200)', '']);
      await page.page.$eval('safe-light', (element) => element.removeAttribute('style'));
      await attribute('theme', null);
    });

    it('speaks the site’s language', async () => {
      await page.set('language', 'de');
      await page.until(() => document.documentElement.lang === 'de', 'German');
      const said = await page.words();
      assert.match(said, /Fotos hierher ziehen/);
      assert.match(said, /Was der Server tun soll/);
      await page.put(['not a photo', Buffer.from('I am not a photo, I only say so, for long enough.')]);
      assert.match((await page.ended()).error, /^Das ist kein Foto.*\[unsupported_image\]$/);
      await page.screenshot(`${name}-german`, 1280, 900);
      await page.screenshot(`${name}-german-phone`, 360, 740);
      const wide = await page.vault.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, 'the phone’s screen must not scroll sideways');
      await page.set('language', 'en');
      await page.until(() => document.documentElement.lang === 'en', 'English');
    });

    it('says so where the vault cannot be reached', async () => {
      const notice = await page.page.evaluate(async () => {
        const element = document.createElement('safe-light');
        element.setAttribute('vault', '/same-origin');
        element.setAttribute('server', '/');
        document.body.append(element);
        const error = await element.ready.catch((reason) => reason);
        const text = element.shadowRoot.querySelector('[role="alert"]').textContent;
        element.remove();
        return [error.code, text];
      });
      assert.equal(notice[0], 'bad_argument');
      assert.match(notice[1], /a different origin/);
    });

    it('complained about nothing', () => assert.deepEqual(page.complaints, []));
  });
}

it('the catalogues have the same entries', () => {
  const shape = (value) =>
    Array.isArray(value) ? value.length : typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shape(part)])) : typeof value;
  // The English catalogue needs no sentences for errors that explain themselves in English.
  const { errors: english, ...others } = en;
  const { errors: german, ...rest } = de;
  assert.deepEqual(shape(rest), shape(others));
  for (const code of Object.keys(english)) assert.ok(code in german, code);
});
