// Photo files are decoded correctly: PNG exactly, JPEG within rounding, upright, and without fetching decoders if the browser's
// own ones suffice.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import { browsers, cli, folder, openBrowser, python, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng, profileOfPng } from './lib/png.mjs';
import { p3Profile, withProfile } from './lib/profiles.mjs';
import { startRecorder } from './lib/recorder.mjs';
import { readPixels, writePng } from '../../www/client/png.js';

const PROFILES = new URL('../interop/profiles.py', import.meta.url).pathname;
const CODEC = 'safelight_codec_bg.wasm';
const brighter = (sample) => Math.min(255, sample + 1);
const everyFilter = { filter: (y) => y % 5 };

// Does what protection against fingerprinting does: changes some of the drawn samples.
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

  it('returns null for invalid data, and unpacks no more than it needs', async () => {
    const shape = { width: 3, height: 2, count: 1 };
    const rows = (...bytes) => [deflateSync(Buffer.from(bytes))];
    assert.deepEqual(await readPixels(rows(0, 1, 2, 3, 0, 4, 5, 6), shape), Uint8Array.of(1, 2, 3, 4, 5, 6));
    assert.equal(await readPixels(rows(0, 1, 2, 3, 5, 4, 5, 6), shape), null, 'an unknown filter');
    assert.equal(await readPixels(rows(0, 1, 2, 3, 0, 4, 5), shape), null, 'too short');
    assert.equal(await readPixels(rows(0, 1, 2, 3, 0, 4, 5, 6, 7), shape), null, 'too long');
    assert.equal(await readPixels([Buffer.from('no zlib')], shape), null);
    // Our own decoders find out whether another checksum confirms the pixels.
    const [stream] = rows(0, 1, 2, 3, 0, 4, 5, 6);
    const wrong = Buffer.from(stream);
    wrong[wrong.length - 1] ^= 1;
    assert.equal(await readPixels([wrong], shape), null, 'a wrong checksum');
    assert.equal(await readPixels([stream.subarray(0, -4)], shape), null, 'no checksum');
    assert.equal(await readPixels([deflateSync(Buffer.alloc(1 << 26))], shape), null, 'a bomb');
  });
});

for (const name of browsers) {
  describe(`photos in ${name}`, () => {
    const files = folder();
    const at = (file) => join(files, file);
    let server, recorder, browser, page, frame, jpeg;
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
      page = await browser.open(server.url);
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
    async function read(bytes, options = {}) {
      const photo = await frame.evaluate(
        async (text, options) => {
          try {
            const read = await window.own.read(window.unpacked(text), options);
            const { width, height, channels, notices, colour, rgba } = read;
            return { width, height, channels, notices, colour, rgba: [...rgba] };
          } catch ({ code, message }) {
            return { code, message };
          }
        },
        Buffer.from(bytes).toString('base64'),
        options,
      );
      return photo.code ? photo : { ...photo, rgba: Buffer.from(photo.rgba) };
    }

    /** Encrypts a photo file in the page, makes it brighter by one, and decrypts it again. */
    async function there(bytes) {
      const { image, ...facts } = await frame.evaluate(
        async (key, text) => {
          if (!window.own.key) await window.own.openKey(window.unpacked(key));
          window.photo = await window.own.read(window.unpacked(text));
          const image = await window.own.encrypt(window.photo, { filter: 'brightness', params: { offset: 1 } });
          const { colour, notices } = window.photo;
          return { colour, notices, image: [...new Uint8Array(await image.arrayBuffer())] };
        },
        readFileSync(at('my.key')).toString('base64'),
        Buffer.from(bytes).toString('base64'),
      );
      writeFileSync(at('there.slt'), Buffer.from(image));
      await cli('filter', 'brightness', '--offset', '1', at('there.slt'), '--out', at('back.slt'));
      const opened = await frame.evaluate(
        async (text) => {
          const how = { photos: [window.photo], filter: 'brightness', params: { offset: 1 } };
          const { colour, png } = await window.own.decrypt(window.unpacked(text), how);
          const unknown = await window.own.decrypt(window.unpacked(text));
          window.photo.free();
          return { picture: colour, unknown: unknown.colour, png: [...new Uint8Array(await png.arrayBuffer())] };
        },
        readFileSync(at('back.slt')).toString('base64'),
      );
      assert.equal(opened.unknown, null);
      return { ...facts, ...opened, png: Buffer.from(opened.png) };
    }
    const fetched = () => recorder.requests.filter((line) => line.endsWith(CODEC)).length;

    /** The picture that the command line decodes from a file. */
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
      if (webp.shift() !== 'image/webp') return; // this browser does not write WebP
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

    it('the colour profile comes back in the result, and no decoder is fetched for it', async () => {
      const photo = makePhoto(23, 17, 3, 9);
      const before = fetched();
      for (const [file, same] of [
        [encodePng(photo, { profile: p3Profile() }), photo.data],
        [withProfile(jpeg, p3Profile()), null],
        [withProfile(jpeg, p3Profile(), 3), null],
      ]) {
        const { colour, notices, picture, png } = await there(file);
        assert.deepEqual([colour, picture], ['icc', 'icc']);
        assert.deepEqual(notices.filter((notice) => notice !== 'decoded_by_browser'), []);
        assert.deepEqual(profileOfPng(png), p3Profile());
        if (same) assert.deepEqual(decodePng(png).data, Uint8Array.from(same, brighter));
      }
      assert.equal(fetched(), before);
    });

    it('a grey photo with a profile for colours comes back in three', async () => {
      const photo = makePhoto(19, 13, 2, 4);
      const { png } = await there(encodePng(photo, { profile: p3Profile() }));
      const back = decodePng(png);
      assert.equal(back.channels, 4);
      const wanted = rgba(photo).map((sample, i) => (i % 4 === 3 ? sample : brighter(sample)));
      assert.deepEqual(rgba(back), wanted);
      assert.deepEqual(profileOfPng(png), p3Profile());
    });

    it('a damaged profile is reported', async () => {
      const profile = p3Profile();
      profile.write('none', 36);
      const { colour, notices, png } = await there(encodePng(makePhoto(9, 7, 3, 1), { profile }));
      assert.deepEqual([colour, notices, profileOfPng(png)], ['srgb', ['profile_unusable'], null]);
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

    it('PNG with damaged checksums as on the command line', async () => {
      const photo = makePhoto(43, 31, 3, 3);
      const whole = encodePng(photo, everyFilter);
      const end = whole.length - 12;
      const bent = (...places) => {
        const file = Buffer.from(whole);
        for (const at of places) file[at] ^= 1;
        return file;
      };
      const chunkOf = (data) => {
        const named = Buffer.concat([Buffer.from('IDAT'), data]);
        const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
        length.writeUInt32BE(data.length);
        sum.writeUInt32BE(crc32(named));
        return Buffer.concat([length, named, sum]);
      };
      const start = whole.indexOf('IDAT') - 4;
      const stream = Buffer.from(whole.subarray(start + 8, end - 4));
      stream[stream.length - 1] ^= 1;
      const wrongAdler = Buffer.concat([whole.subarray(0, start), chunkOf(stream), whole.subarray(end)]);
      for (const [file, notice] of [
        [bent(end - 1), 'checksum_wrong'],
        [wrongAdler, 'checksum_wrong'],
        [whole.subarray(0, -14), 'end_missing'],
        [whole.subarray(0, -20), 'end_missing'],
        [bent(whole.length - 1), 'end_missing'],
      ]) {
        const { rgba: seen, notices } = await read(file);
        assert.deepEqual([seen, notices], [rgba(photo), [notice]]);
      }
      for (const file of [bent(end - 1, end - 5), bent(end - 5), whole.subarray(0, -60)]) {
        assert.equal((await read(file)).code, 'damaged_image');
      }
    });

    it('a photo that could be transparent, and is not, has no transparency', async () => {
      const photo = makePhoto(9, 7, 4, 2);
      for (let i = 3; i < photo.data.length; i += 4) photo.data[i] = 255;
      const { rgba: seen, notices } = await read(encodePng(photo, everyFilter));
      assert.deepEqual([seen, notices], [rgba(photo), []]);
    });

    it('other pictures in the file, and values that no picture produces, are reported', async () => {
      const { rgba: drawn } = await read(jpeg);
      const two = await read(Buffer.concat([jpeg, jpeg]));
      assert.deepEqual([two.rgba, two.notices], [drawn, ['other_pictures', 'decoded_by_browser']]);
      const large = Buffer.from(jpeg);
      for (let at = large.indexOf('ffdb', 'hex'); at >= 0; at = large.indexOf('ffdb', at + 2, 'hex')) large.fill(255, at + 5, at + 69);
      assert.ok((await read(large)).notices.includes('beyond_range'));
    });

    it('files of other kinds are named as such', async () => {
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

    it('colours are converted to sRGB where that is wanted, as on the command line', async () => {
      const file = encodePng(makePhoto(23, 17, 4, 9), { profile: p3Profile() });
      writeFileSync(at('photo'), file);
      await cli('encrypt', '--colour', 'srgb', '--key', at('my.key'), at('photo'), '--out', at('photo.slt'));
      await cli('decrypt', '--key', at('my.key'), at('photo.slt'), '--out', at('photo.png'), '--original', at('photo'));
      const { rgba: seen, colour, notices } = await read(file, { colour: 'srgb' });
      assert.deepEqual(seen, rgba(decodePng(readFileSync(at('photo.png')))));
      assert.equal(colour, 'srgb');
      assert.deepEqual(notices, ['alpha_kept_here', 'converted_to_srgb', 'colours_clipped']);
      assert.equal((await read(file, { colour: 'p3' })).code, 'bad_argument');
    });

    it('the last bit of each converted colour is the command line’s', async () => {
      execFileSync(python, ['-B', PROFILES, files]);
      const photo = makePhoto(256, 192, 3, 3);
      const profiles = readdirSync(files).filter((file) => file.endsWith('.icc'));
      assert.equal(profiles.length, 5);
      for (const profile of profiles) {
        const file = encodePng(photo, { profile: readFileSync(at(profile)) });
        writeFileSync(at('photo'), file);
        await cli('etc', 'encrypt', '--key', at('etc.key'), '--block', '4', '--colour', 'srgb', at('photo'), '--out', at(`${profile}.scrambled.png`));
        await cli('etc', 'decrypt', '--key', at('etc.key'), at(`${profile}.scrambled.png`), '--out', at(`${profile}.png`));
        const { rgba: seen, notices } = await read(file, { colour: 'srgb' });
        assert.ok(notices.includes('converted_to_srgb'), profile);
        const theirs = rgba(decodePng(readFileSync(at(`${profile}.png`))));
        const apart = seen.filter((byte, i) => byte !== theirs[i]).length;
        assert.equal(apart, 0, `${profile}: ${apart} samples differ`);
      }
    });

    it('scrambled pictures are sRGB, with the command line’s bytes', async () => {
      for (const file of [encodePng(makePhoto(48, 32, 3, 5), { profile: p3Profile() }), withProfile(jpeg, p3Profile())]) {
        writeFileSync(at('photo'), file);
        await cli('etc', 'encrypt', '--key', at('etc.key'), '--fixed-key', at('photo'), '--out', at('theirs.jpg'));
        const found = await frame.evaluate(
          async (key, text) => {
            await window.own.openKey(window.unpacked(key));
            const bytes = window.unpacked(text);
            const photo = await window.own.read(bytes);
            const made = [];
            for (const source of [bytes, photo]) made.push(await window.own.scramble(source, { fixedKey: true }));
            photo.free();
            const read = async ({ file, notices }) => ({ notices, bytes: [...new Uint8Array(await file.arrayBuffer())] });
            return Promise.all(made.map(read));
          },
          readFileSync(at('etc.key')).toString('base64'),
          file.toString('base64'),
        );
        for (const { bytes, notices } of found) {
          assert.ok(notices.includes('converted_to_srgb'), notices);
          assert.deepEqual(Buffer.from(bytes), readFileSync(at('theirs.jpg')));
        }
      }
    });

    it('two photos are converted to the same colours before blending', async () => {
      const photo = makePhoto(23, 17, 3, 9);
      const files = [encodePng(photo, { profile: p3Profile() }), encodePng(photo)].map((file) => file.toString('base64'));
      const [first, second] = await frame.evaluate(async (texts) => {
        const photos = await Promise.all(texts.map((text) => window.own.read(window.unpacked(text))));
        await window.own.match(...photos);
        return photos.map(({ colour, notices, rgba }) => ({ colour, notices, rgba: [...rgba] }));
      }, files);
      assert.deepEqual([first.colour, second.colour, second.notices], ['srgb', 'srgb', []]);
      assert.deepEqual(Buffer.from(second.rgba), rgba(photo));
      assert.deepEqual(first.rgba, [...(await read(Buffer.from(files[0], 'base64'), { colour: 'srgb' })).rgba]);
    });

    it('what only the browser reads is sRGB', async () => {
      const made = await frame.evaluate(async () => {
        const canvas = new OffscreenCanvas(8, 8);
        const context = canvas.getContext('2d', { colorSpace: 'display-p3' });
        context.fillStyle = 'color(display-p3 0.784 0.314 0.235)';
        context.fillRect(0, 0, 8, 8);
        const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 1 });
        const bytes = new Uint8Array(await blob.arrayBuffer());
        return blob.type === 'image/webp' ? [...bytes] : [];
      });
      const file = Buffer.from(made);
      if (!file.includes('ICCP')) return console.log(`${name}: makes no WebP files with profiles`);
      const { rgba: seen, colour, notices } = await read(file);
      assert.deepEqual([colour, notices], ['srgb', ['decoded_by_browser', 'converted_to_srgb']]);
      for (const [i, sample] of [216, 69, 50].entries()) assert.ok(Math.abs(seen[i] - sample) <= 4, [...seen.subarray(0, 3)].join());
    });

    it('the vault shows photo and result in the photo’s colours', async () => {
      const data = Uint8Array.from({ length: 3 * 40 * 30 }, (_, i) => [200, 80, 60][i % 3]);
      await page.newKey(2048);
      await page.filter('mean', { radius: 1 });
      await page.put(['wide.png', encodePng({ width: 40, height: 30, channels: 3, data }, { profile: p3Profile() })]);
      await page.done();
      const seen = await page.vault.evaluate(() => {
        const pixel = (name) => {
          const canvas = document.querySelector(`canvas[data-testid="${name}"]`);
          const context = new OffscreenCanvas(40, 30).getContext('2d');
          context.drawImage(canvas, 0, 0);
          return [...context.getImageData(20, 15, 1, 1).data];
        };
        return [pixel('original'), pixel('result')];
      });
      for (const pixel of seen) {
        for (const [i, sample] of [216, 69, 50, 255].entries()) assert.ok(Math.abs(pixel[i] - sample) <= 2, pixel.join());
      }
      const { bytes } = await page.saved('picture', 0);
      assert.deepEqual(profileOfPng(bytes), p3Profile());
      assert.deepEqual(decodePng(bytes).data, data);
    });

    it('JPEG with fingerprinting protection, too, sample by sample as on the command line', async () => {
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
