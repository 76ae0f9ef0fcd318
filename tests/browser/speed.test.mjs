// How long a photo takes and how much data it sends. Printed, not checked: machines differ.

import { it } from 'node:test';
import { browsers, openBrowser, startServer } from './lib/harness.mjs';
import { makePhoto } from './lib/photos.mjs';
import { encodePng } from './lib/png.mjs';

const SIDE = 512;

for (const name of browsers) {
  it(`speed in ${name}`, async () => {
    const server = await startServer();
    const browser = await openBrowser(name);
    try {
      const page = await browser.open(server.url);
      let from = Date.now();
      await page.newKey(3072);
      console.log(`${name}: a 3072-bit key in ${((Date.now() - from) / 1000).toFixed(1)} s`);
      await page.filter('mean', { radius: 1 });
      const png = encodePng(makePhoto(SIDE, SIDE, 3, 41));
      from = Date.now();
      await page.put(['speed.png', png]);
      const { bytes } = await page.done(0, 30);
      const seconds = (Date.now() - from) / 1000;
      const perSample = bytes / (SIDE * SIDE * 3);
      console.log(
        `${name}: ${SIDE}x${SIDE} RGB, 3x3 mean, 3072-bit key: ${seconds.toFixed(1)} s from drop to picture, ` +
          `${bytes} bytes sent, ${perSample.toFixed(2)} per sample`,
      );
    } finally {
      await browser.close();
      await server.stop();
    }
  });
}
