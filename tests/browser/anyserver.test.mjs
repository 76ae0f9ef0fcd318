// The page works with a server that is not ours: the small Python one of the examples.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { expected } from './lib/filters.mjs';
import { browsers, listening, openBrowser, python, root, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { decodePng, encodePng } from './lib/png.mjs';

const program = join(root, 'examples/any_server.py');

for (const name of browsers) {
  it(
    `any server in ${name}`,
    { skip: existsSync(program) ? false : 'examples/any_server.py is not there' },
    async () => {
      const other = await listening(python, ['-u', program, '--listen', '127.0.0.1:0']);
      const server = await startServer('--connect-src', other.url);
      const browser = await openBrowser(name);
      try {
        const page = await browser.open(`${server.url}/?server=${encodeURIComponent(other.url)}`);
        await page.newKey(2048);
        const photo = makePhoto(29, 22, 4, 51);
        await page.filter('mean', { radius: 1 });
        await page.put(['other.png', encodePng(photo)]);
        await page.done();
        assert.deepEqual(decodePng((await page.saved('picture', 0)).bytes), expected('mean', {}, [photo]));
      } finally {
        await browser.close();
        await server.stop();
        await other.stop();
      }
    },
  );
}
