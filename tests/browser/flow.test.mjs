// The page as a person uses it: photos of all kinds go in, and the filtered pictures that come out are equal, to the last bit,
// to the filter computed on the clear pixels.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, before, after } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, folder, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';

const GREY = 1,
  GREY_ALPHA = 2,
  RGB = 3,
  RGBA = 4;

// [filter, parameters, options, width, height, channels]
const cases = [
  ['mean', {}, {}, 61, 43, RGB],
  ['mean', { size: '5x3' }, { border: 'reflect' }, 17, 90, GREY],
  ['mean', { radius: 4 }, { border: 'zero' }, 5, 3, RGBA],
  ['gaussian', { sigma: 1.3 }, { border: 'reflect' }, 37, 29, GREY],
  ['gaussian', { sigma: 0.8, radius: 1 }, {}, 1, 1, RGB],
  ['sharpen', {}, { border: 'zero' }, 40, 31, RGBA],
  ['sobel-x', {}, { view: 'signed' }, 23, 50, GREY_ALPHA],
  ['sobel-y', {}, { view: 'absolute' }, 50, 23, RGB],
  ['laplacian', {}, { view: 'signed' }, 2, 64, RGB],
  ['emboss', {}, {}, 33, 20, RGBA],
  ['kernel', { weights: '-1,0,2;3,-4,5;1,1,-6', divisor: 3 }, { view: 'absolute' }, 31, 30, RGB],
  ['kernel', { weights: '1,2,3,4', divisor: 10 }, {}, 16, 9, GREY],
  ['brightness', { offset: -40 }, {}, 27, 13, RGBA],
];

for (const name of browsers) {
  describe(`flow in ${name}`, () => {
    const files = folder();
    let server, browser, page;
    before(async () => {
      server = await startServer();
      browser = await openBrowser(name);
      page = await browser.open(server.url);
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    const put = (photo, file) => {
      const path = join(files, file);
      writeFileSync(path, encodePng(photo));
      return path;
    };

    it('starts without a key and says so', async () => {
      assert.match(await page.text('key-state'), /No key yet/);
      for (const button of ['forget-key', 'save-key']) {
        assert.equal(await page.vault.$eval(`[data-testid="${button}"]`, (element) => element.disabled), true);
      }
      await page.screenshot(`${name}-empty`, 1280, 900);
    });

    it('makes a key and counts the candidates', async () => {
      await page.set('bits', 2048);
      await page.click('new-key');
      await page.until(() => /\d+ candidates/.test(document.body.innerText), 'the count of candidates');
      await page.until(
        () => /^Fingerprint [0-9a-f]{32}$/.test(document.querySelector('[data-testid="fingerprint"]').textContent),
        'the fingerprint',
        { minutes: 5 },
      );
      assert.match(await page.text('key-state'), /^Key, 2048 bits, in this tab only, key file not saved yet$/);
      await page.keepUnprotected();
      assert.match(await page.text('key-state'), /^Key, 2048 bits, stored in this browser.*, key file not saved yet$/);
    });

    for (const [filter, params, options, width, height, channels] of cases) {
      const title = `${filter} ${JSON.stringify(params)} ${JSON.stringify(options)} ${width}x${height}x${channels}`;
      it(title, async () => {
        const photo = makePhoto(width, height, channels, width * height);
        await page.filter(filter, params, options);
        await page.choosePhoto(put(photo, `photo-${width}.png`));
        await page.done();
        const saved = await page.saved('picture', 0);
        assert.equal(saved.name, `photo-${width}-${filter}.png`);
        assertSame(decodePng(saved.bytes), expected(filter, params, [photo], options));
      });
    }

    it('blends two photos, one of them grey', async () => {
      const [first, second] = [makePhoto(45, 32, RGBA, 5), makePhoto(45, 32, GREY, 6)];
      await page.filter('blend', { share: 30 });
      await page.choose('second', put(second, 'second.png'));
      await page.choosePhoto(put(first, 'first.png'));
      await page.done();
      const coloured = {
        ...second,
        channels: 3,
        data: Uint8Array.from({ length: 45 * 32 * 3 }, (_, i) => second.data[Math.floor(i / 3)]),
      };
      const saved = await page.saved('picture', 0);
      assertSame(decodePng(saved.bytes), expected('blend', { share: 30 }, [first, coloured]));
    });

    it('works on several dropped photos one after the other', async () => {
      const photos = [makePhoto(30, 21, RGB, 7), makePhoto(21, 30, GREY, 8), makePhoto(19, 19, RGBA, 9)];
      await page.filter('mean', { radius: 1 });
      await page.put(...photos.map((photo, i) => [`several-${i}.png`, encodePng(photo)]));
      for (const [i, photo] of photos.entries()) {
        const card = photos.length - 1 - i; // the newest is on top
        await page.done(card);
        assertSame(decodePng((await page.saved('picture', card)).bytes), expected('mean', {}, [photo]));
      }
    });

    it('takes a pasted photo', async () => {
      const photo = makePhoto(20, 14, RGB, 10);
      await page.vault.evaluate((text) => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], 'pasted.png'));
        const event = new ClipboardEvent('paste', { bubbles: true });
        Object.defineProperty(event, 'clipboardData', { value: clipboardData }); // not every constructor takes it
        document.body.dispatchEvent(event);
      }, encodePng(photo).toString('base64'));
      await page.until(
        () => document.querySelector('[data-part="name"]').textContent === 'pasted.png',
        'the pasted photo',
      );
      await page.done();
      assertSame(decodePng((await page.saved('picture', 0)).bytes), expected('mean', {}, [photo]));
    });

    it('reads by the browser what the wasm module cannot', async () => {
      const photo = makePhoto(23, 18, RGB, 11);
      await page.put(['bitmap.bmp', bmp(photo)]);
      await page.done();
      assert.match(
        await page.vault.$eval('[data-part="facts"]', (element) => element.textContent),
        /decoded by your browser/,
      );
      assertSame(decodePng((await page.saved('picture', 0)).bytes), expected('mean', {}, [photo]));
    });

    it('has the browser read WebP', async () => {
      const data = await page.vault.evaluate(async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
        canvas.getContext('2d').fillRect(10, 10, 9, 9);
        return canvas.toDataURL('image/webp').split(',')[1];
      });
      const webp = Buffer.from(data, 'base64');
      assert.equal(webp.toString('latin1', 8, 12), 'WEBP');
      await page.put(['photo.webp', webp]);
      await page.done();
      const { width, height } = decodePng((await page.saved('picture', 0)).bytes);
      assert.deepEqual([width, height], [40, 30]);
    });

    it('tells how long the sample photo will take', async () => {
      await page.vault.evaluate(() =>
        document.querySelectorAll('[data-testid="remove"]').forEach((button) => button.click()),
      );
      await page.slowFilter();
      await page.click('sample');
      await page.until(() => document.querySelector('[data-part="name"]')?.textContent === 'sample.jpg', 'the sample');
      await page.until(
        () => / left$/.test(document.querySelector('[data-testid="progress-text"]').textContent),
        'an estimate',
        { minutes: 5 },
      );
      await page.screenshot(`${name}-working`, 1280, 900);
      await page.click('cancel', 0);
      assert.equal((await page.ended()).state, 'cancelled');
      await page.filter('mean', { radius: 1 });
    });

    it('shows original, ciphertext and result side by side', async () => {
      await page.click('remove', 0);
      await page.put(['darkroom.jpg', await smallSample(page.vault)]);
      await page.done();
      await page.screenshot(`${name}-done`, 1280, 900);
      await page.screenshot(`${name}-phone`, 360, 740);
      if (name === 'chromium') {
        await page.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
        await page.screenshot(`${name}-dark`, 1280, 900);
        await page.screenshot(`${name}-dark-phone`, 360, 740);
      }
      const colours = await page.vault.$eval('[data-testid="encrypted"]', (canvas) => {
        const { width, height } = canvas;
        const copy = new OffscreenCanvas(width, height).getContext('2d');
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, width, height);
        return new Set(new Uint32Array(data.buffer)).size / (data.length / 4);
      });
      assert.ok(colours > 0.95, `the encrypted picture is not noise: ${colours} of its pixels differ`);
      const wide = await page.vault.evaluate(
        () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
      );
      assert.equal(wide, false, 'the phone’s screen must not scroll sideways');
    });

    it('names every control for a screen reader', async () => {
      const nameless = await page.vault.evaluate(() =>
        [
          ...[...document.querySelectorAll('input, select, textarea')].filter(
            (field) => field.labels.length === 0 && !field.ariaLabel,
          ),
          ...[...document.querySelectorAll('button')].filter((button) => button.textContent.trim() === ''),
          ...[...document.querySelectorAll('[role="img"]:not([aria-hidden])')].filter((picture) => !picture.ariaLabel),
        ]
          .filter((element) => element.checkVisibility())
          .map((element) => element.outerHTML),
      );
      assert.deepEqual(nameless, []);
    });

    it('complained about nothing', () => assert.deepEqual(page.complaints, []));
  });
}

function assertSame(actual, wanted) {
  const shape = ({ width, height, channels }) => ({ width, height, channels });
  assert.deepEqual(shape(actual), shape(wanted));
  const wrong = wanted.data.findIndex((value, i) => actual.data[i] !== value);
  assert.equal(wrong, -1, `sample ${wrong} is ${actual.data[wrong]}, not ${wanted.data[wrong]}`);
}

/** The sample photo, small enough to be quick, as JPEG. */
async function smallSample(page) {
  const base64 = await page.evaluate(async () => {
    const bitmap = await createImageBitmap(await (await fetch('vault/sample.jpg')).blob(), {
      resizeWidth: 168,
      resizeHeight: 126,
      resizeQuality: 'high',
    });
    const canvas = Object.assign(document.createElement('canvas'), { width: 168, height: 126 });
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    return canvas.toDataURL('image/jpeg', 0.92).split(',')[1];
  });
  return Buffer.from(base64, 'base64');
}

/** A 24-bit BMP file, which browsers read and the wasm module does not. */
function bmp({ width, height, data }) {
  const line = (width * 3 + 3) & ~3;
  const file = Buffer.alloc(54 + line * height);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  for (const [at, value] of [
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [34, line * height],
  ])
    file.writeUInt32LE(value, at);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) file[54 + (height - 1 - y) * line + 3 * x + c] = data[(y * width + x) * 3 + 2 - c];
    }
  }
  return file;
}
