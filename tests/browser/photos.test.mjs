// Photo files come in as they are: PNG to the sample, JPEG within rounding, upright, and without fetching decoders where
// the browser's own ones will do.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import { browsers, cli, folder, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';
import { startRecorder } from './lib/recorder.mjs';
import { readPixels, writePng } from '../../www/client/png.js';

const CODEC = 'safelight_codec_bg.wasm';
const everyFilter = { filter: (y) => y % 5 };

// What protection against fingerprinting does: some samples of what is drawn are changed.
const protection = `
  const honest = OffscreenCanvasRenderingContext2D.prototype.getImageData;
  OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...area) {
    const image = honest.apply(this, area);
    for (let i = 40; i < image.data.length; i += 997) if (i % 4 !== 3) image.data[i] ^= 1;
    return image;
  };`;

/** A photo's pixels as a canvas has them. */
function rgba({ channels, data }) {
  const alpha = channels % 2 === 0;
  const grey = channels < 3;
  const pixel = (i) => Array.from({ length: channels }, (_, c) => data[i * channels + c]);
  return Buffer.from(
    Array.from({ length: data.length / channels }, (_, i) => {
      const samples = pixel(i);
      const colours = grey ? [samples[0], samples[0], samples[0]] : samples.slice(0, 3);
      return [...colours, alpha ? samples.at(-1) : 255];
    }).flat(),
  );
}

/** A JPEG file in which the camera says how it was held. */
function withOrientation(jpeg, orientation) {
  const exif = Buffer.from('457869660000' + '4d4d002a00000008' + '0001' + '0112000300000001' + '00000000' + '00000000', 'hex');
  exif.writeUInt16BE(orientation, 24);
  const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

describe('PNG by zlib alone', () => {
  for (const channels of [1, 2, 3, 4]) {
    it(`reads and writes ${channels} samples for each pixel`, async () => {
      for (const [width, height] of [[1, 1], [1, 9], [13, 1], [31, 17]]) {
        const photo = makePhoto(width, height, channels, width);
        const shape = { width, height, count: channels };
        const file = Buffer.from(await writePng(photo.data, shape));
        assert.deepEqual(decodePng(file), photo);
        const stream = file.subarray(41, file.readUInt32BE(33) + 41);
        assert.deepEqual(await readPixels([stream.subarray(0, 5), stream.subarray(5)], shape), photo.data);
      }
    });
  }

  it('makes small files', async () => {
    const slope = Uint8Array.from({ length: 300 * 200 }, (_, i) => (i % 300) / 2 + i / 600);
    const file = await writePng(slope, { width: 300, height: 200, count: 1 });
    assert.ok(file.length < slope.length / 10, `${file.length} bytes`);
  });

  it('gives nothing for what is not as it should be, and unpacks no more than it needs', async () => {
    const shape = { width: 3, height: 2, count: 1 };
    const rows = (...bytes) => [deflateSync(Buffer.from(bytes))];
    assert.deepEqual(await readPixels(rows(0, 1, 2, 3, 0, 4, 5, 6), shape), Uint8Array.of(1, 2, 3, 4, 5, 6));
    assert.equal(await readPixels(rows(0, 1, 2, 3, 5, 4, 5, 6), shape), null, 'an unknown filter');
    assert.equal(await readPixels(rows(0, 1, 2, 3, 0, 4, 5), shape), null, 'too short');
    assert.equal(await readPixels(rows(0, 1, 2, 3, 0, 4, 5, 6, 7), shape), null, 'too long');
    assert.equal(await readPixels([Buffer.from('no zlib')], shape), null);
    assert.equal(await readPixels([deflateSync(Buffer.alloc(1 << 26))], shape), null, 'a bomb');
  });
});

for (const name of browsers) {
  describe(`photos in ${name}`, () => {
    const files = folder();
    const at = (file) => join(files, file);
    let server, recorder, browser, frame, jpeg;
    let planted = '';
    before(async () => {
      server = await startServer();
      await cli('keygen', 'paillier', '--bits', '2048', '--out', at('my.key'));
      await cli('keygen', 'etc', '--out', at('etc.key'));
      await open();
      jpeg = Buffer.from(
        await frame.evaluate(async () => {
          const canvas = new OffscreenCanvas(90, 60);
          const context = canvas.getContext('2d');
          const slope = context.createLinearGradient(0, 0, 90, 60);
          for (let i = 0; i <= 6; i++) slope.addColorStop(i / 6, `hsl(${i * 61} 70% ${30 + 7 * i}%)`);
          context.fillStyle = slope;
          context.fillRect(0, 0, 90, 60);
          context.fillStyle = '#234';
          context.fillRect(50, 9, 21, 30);
          const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
          return [...new Uint8Array(await blob.arrayBuffer())];
        }),
      );
    });
    after(async () => {
      await close();
      await server?.stop();
    });

    /** A fresh browser, with a script planted in the workers that decode. */
    async function open(script = '') {
      await close();
      planted = script;
      const rewrite = (path, text) => (path === '/client/decode.js' ? text + planted : text);
      recorder = await startRecorder(server.url, { rewrite });
      browser = await openBrowser(name, { proxy: recorder.port });
      const page = await browser.open(server.url);
      frame = page.vault;
      await frame.evaluate(async () => {
        const { Safelight } = await import(new URL('client/safelight.js', location.href).href);
        window.own = await Safelight.open();
        window.unpacked = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      });
    }
    async function close() {
      await browser?.close();
      await recorder?.stop();
      browser = recorder = undefined;
    }

    /** Reads a photo file in the page. */
    async function read(bytes) {
      const photo = await frame.evaluate(async (text) => {
        try {
          const { width, height, channels, notices, rgba } = await window.own.read(window.unpacked(text));
          return { width, height, channels, notices, rgba: [...rgba] };
        } catch ({ code, message }) {
          return { code, message };
        }
      }, Buffer.from(bytes).toString('base64'));
      return photo.code ? photo : { ...photo, rgba: Buffer.from(photo.rgba) };
    }
    const fetched = () => recorder.requests.filter((line) => line.endsWith(CODEC)).length;

    /** The picture that the command line sees in a file. */
    async function seenByCli(bytes) {
      writeFileSync(at('photo'), bytes);
      await cli('encrypt', '--key', at('my.key'), at('photo'), '--out', at('photo.slt'));
      await cli('decrypt', '--key', at('my.key'), at('photo.slt'), '--out', at('photo.png'));
      return decodePng(readFileSync(at('photo.png')));
    }

    for (const channels of [1, 2, 3, 4]) {
      it(`PNG of ${channels} samples for each pixel, to the sample`, async () => {
        const photo = makePhoto(43, 31, channels, channels);
        const read43 = await read(encodePng(photo, everyFilter));
        assert.deepEqual([read43.width, read43.height, read43.channels], [43, 31, channels < 3 ? 1 : 3]);
        assert.deepEqual(read43.rgba, rgba(photo));
        assert.deepEqual(read43.notices, channels % 2 === 0 ? ['alpha_kept_here'] : []);
      });
    }

    it('JPEG within rounding of the command line, upright as the camera was held', async () => {
      for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const file = withOrientation(jpeg, orientation);
        const theirs = await seenByCli(file);
        const ours = await read(file);
        assert.deepEqual([ours.width, ours.height, ours.channels], [theirs.width, theirs.height, 3]);
        assert.deepEqual([ours.width, ours.height], orientation < 5 ? [90, 60] : [60, 90]);
        assert.deepEqual(ours.notices, ['decoded_by_browser']);
        const apart = rgba(theirs).map((sample, i) => Math.abs(sample - ours.rgba[i]));
        const mean = apart.reduce((sum, one) => sum + one, 0) / apart.length;
        assert.ok(mean < 0.5 && Math.max(...apart) <= 2, `orientation ${orientation}: ${mean} on average, at most ${Math.max(...apart)}`);
      }
    });

    it('grey JPEG stays grey', async () => {
      writeFileSync(at('grey.png'), encodePng(makePhoto(48, 32, 1, 3)));
      await cli('etc', 'encrypt', '--key', at('etc.key'), at('grey.png'), '--out', at('grey.jpg'));
      const { width, height, channels } = await read(readFileSync(at('grey.jpg')));
      assert.deepEqual([width, height, channels], [48, 32, 1]);
    });

    it('what is declared too large or cut short is refused', async () => {
      const bomb = Buffer.from(jpeg);
      const size = bomb.indexOf(Buffer.from([0xff, 0xc0])) + 5;
      bomb.fill(0xff, size, size + 4);
      assert.equal((await read(bomb)).code, 'image_too_large');
      assert.equal((await read(jpeg.subarray(0, jpeg.length - 40))).code, 'damaged_image');
    });

    it('a photo that lacks nothing but its end opens with a notice', async () => {
      const whole = await read(jpeg);
      const { rgba: drawn, notices } = await read(jpeg.subarray(0, jpeg.length - 2));
      assert.deepEqual(drawn, whole.rgba);
      assert.deepEqual(notices, ['end_missing', 'decoded_by_browser']);

      const photo = makePhoto(43, 31, 3, 3);
      const png = await read(encodePng(photo, everyFilter).subarray(0, -12));
      assert.deepEqual([png.rgba, png.notices], [rgba(photo), ['end_missing']]);

      const webp = await frame.evaluate(async () => {
        const canvas = new OffscreenCanvas(30, 20);
        canvas.getContext('2d').fillStyle = '#a47';
        canvas.getContext('2d').fillRect(0, 0, 30, 20);
        const blob = await canvas.convertToBlob({ type: 'image/webp' });
        return [blob.type, ...new Uint8Array(await blob.arrayBuffer())];
      });
      if (webp.shift() !== 'image/webp') return; // a browser that writes none
      const longer = Buffer.concat([Buffer.from(webp), Buffer.from('EXIF\xf0\0\0\0cut', 'latin1')]);
      longer.writeUInt32LE(longer.length + 200, 4);
      const open = await read(longer);
      assert.deepEqual([open.width, open.height, open.notices], [30, 20, ['decoded_by_browser', 'end_missing']]);
      assert.equal((await read(Buffer.from(webp).subarray(0, -8))).code, 'damaged_image');
    });

    it('pixels that are missing before the end are found, though the browser would fill them in', async () => {
      const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]));
      const middle = (scan + jpeg.length) >> 1;
      const mended = Buffer.concat([jpeg.subarray(0, middle), Buffer.from([0xff, 0xd9])]);
      assert.equal((await read(mended)).code, 'damaged_image');
    });

    it('without fetching a decoder', () => assert.equal(fetched(), 0));

    it('scrambling a JPEG photo that was read gives the command line’s bytes', async () => {
      writeFileSync(at('photo.jpg'), jpeg);
      await cli('etc', 'encrypt', '--key', at('etc.key'), '--fixed-key', at('photo.jpg'), '--out', at('theirs.jpg'));
      const ours = await frame.evaluate(
        async (key, text) => {
          await window.own.openKey(window.unpacked(key));
          const photo = await window.own.read(window.unpacked(text));
          const { file } = await window.own.scramble(photo, { fixedKey: true });
          photo.free();
          return [...new Uint8Array(await file.arrayBuffer())];
        },
        readFileSync(at('etc.key')).toString('base64'),
        jpeg.toString('base64'),
      );
      assert.deepEqual(Buffer.from(ours), readFileSync(at('theirs.jpg')));
    });

    it('unusual PNG by the decoders of our own, fetched once', async () => {
      for (const channels of [1, 2, 3, 4]) {
        const photo = makePhoto(37, 23, channels, channels);
        const { rgba: seen, notices } = await read(encodePng(photo, { ...everyFilter, depth: 16 }));
        assert.deepEqual(seen, rgba(photo));
        assert.ok(notices.includes('reduced_to_8_bit'));
      }
      assert.equal(fetched(), 1);
    });

    it('files of other kinds are called what they are', async () => {
      const arithmetic = Buffer.from(jpeg);
      arithmetic[arithmetic.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc9;
      const photo = encodePng(makePhoto(5, 5, 1, 1), everyFilter);
      const apple = Buffer.concat([photo.subarray(0, 8), Buffer.from('00000004436742495000200252', 'hex'), Buffer.alloc(3), photo.subarray(8)]);
      const kinds = [
        ['FUJIFILMCCD-RAW 0201', /RAF/],
        ['%PDF-1.7', /PDF/],
        ['PK\x03\x04', /ZIP/],
        [arithmetic, /arithmetic/],
        [apple, /Apple/],
        ['nonsense', /not a PNG/],
      ];
      for (const [bytes, named] of kinds) {
        const { code, message } = await read(Buffer.from(bytes, 'latin1'));
        assert.equal(code, 'unsupported_image');
        assert.match(message, named);
      }
    });

    it('JPEG too where what is drawn is protected, to the sample of the command line', async () => {
      await open(protection);
      for (const orientation of [1, 6]) {
        const file = withOrientation(jpeg, orientation);
        const ours = await read(file);
        assert.deepEqual(ours.rgba, rgba(await seenByCli(file)));
        assert.deepEqual(ours.notices, []);
      }
      assert.equal(fetched(), 1);
    });
  });
}
