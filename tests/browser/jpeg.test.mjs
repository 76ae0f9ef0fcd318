// JPEG files of every sampling, order of scans and colour model, whole and damaged, in the page: libjpeg-turbo's picture, a
// refusal, or a notice, but never a wrong picture without a warning. tests/interop/jpeg_corpus.py makes the files, and
// tests/jpeg.rs reads them with the command line's code.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { browsers, folder, openBrowser, python, startServer } from './lib/harness.mjs';

const SCRIPT = new URL('../interop/jpeg_corpus.py', import.meta.url).pathname;
const BATCH = 40;
const ROUNDING = 2;
// From the large groups, and from those of files that need our own decoder, only every nth file is tested here.
const SHARES = { sampling: 9, colour: 9, change: 7, damage: 11, 'more behind': 4, 'filling bytes': 4, 'honest values': 9, 'large values': 7 };

const refusals = { damaged_image: 'damaged', unsupported_image: 'unsupported', image_too_large: 'large' };

const files = folder();
let entries;
before(() => {
  execFileSync(python, ['-B', SCRIPT, files]);
  entries = JSON.parse(readFileSync(join(files, 'corpus.json'), 'utf8'));
});

for (const name of browsers) {
  describe(`JPEG files in ${name}`, () => {
    let server, browser, frame;
    before(async () => {
      server = await startServer();
      browser = await openBrowser(name);
      const page = await browser.open(server.url);
      frame = page.vault;
      await frame.evaluate(async () => {
        const { Safelight } = await import(new URL('client/safelight.js', location.href).href);
        window.own = await Safelight.open();
        window.readAll = async (texts) => {
          const found = [];
          for (const text of texts) {
            try {
              const photo = await window.own.read(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
              const { width, height, channels, notices, rgba } = photo;
              let letters = '';
              for (const byte of rgba) letters += String.fromCharCode(byte);
              found.push({ width, height, channels, notices, rgba: btoa(letters) });
              photo.free();
            } catch ({ code, message }) {
              found.push({ code, message });
            }
          }
          return found;
        };
      });
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    /** The page's result for a file, in the corpus's terms. */
    function verdict(entry, found) {
      if (found.code) return refusals[found.code] ?? found.code;
      const noticed = found.notices.some((notice) => notice !== 'decoded_by_browser');
      const same = ['width', 'height', 'channels'].every((fact) => found[fact] === entry[fact]);
      if (!entry.pixels || !same) return noticed ? 'wrong, notice' : 'wrong';
      const theirs = readFileSync(join(files, entry.pixels));
      const ours = Buffer.from(found.rgba, 'base64');
      for (let pixel = 0; pixel < entry.width * entry.height; pixel++) {
        for (let c = 0; c < entry.channels; c++) {
          const apart = Math.abs(theirs[pixel * entry.channels + c] - ours[pixel * 4 + c]);
          if (apart > ROUNDING) return noticed ? 'wrong, notice' : 'wrong';
        }
      }
      return noticed ? 'notice' : 'exact';
    }

    it('are libjpeg-turbo’s pictures, or refused', async () => {
      const seen = {};
      const chosen = entries.filter(({ group }) => {
        seen[group] = (seen[group] ?? 0) + 1;
        return seen[group] % (SHARES[group] ?? 1) === 0;
      });
      assert.ok(chosen.length > 480, `${chosen.length} files`);
      const counts = {};
      const wrong = [];
      for (let start = 0; start < chosen.length; start += BATCH) {
        const batch = chosen.slice(start, start + BATCH);
        const texts = batch.map((entry) => readFileSync(join(files, `${entry.name}.jpg`)).toString('base64'));
        const found = await frame.evaluate((all) => window.readAll(all), texts);
        batch.forEach((entry, i) => {
          const made = verdict(entry, found[i]);
          const key = `${entry.group}: ${made}`;
          counts[key] = (counts[key] ?? 0) + 1;
          const warned = ['notice', 'wrong, notice'].includes(made) && entry.expect.includes('warn');
          if (!warned && !entry.expect.includes(made)) wrong.push(`${entry.name}: ${made}, not ${entry.expect}`);
        });
      }
      console.log(counts);
      assert.deepEqual(wrong, []);
      // The browser reads files that our own decoder refuses.
      assert.ok(counts['sampling: exact'] > 70, 'unusual samplings');
    });
  });
}
