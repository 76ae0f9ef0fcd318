// Measures in Chromium: one worker with our WebAssembly beside JavaScript's libraries, then whole jobs in the real page.
// Prints one JSON line for each. `node bench.mjs SECONDS BITS... [--large]`; `tests/browser/lib/harness.mjs` says which
// variables name the programs.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveFiles } from '../../tests/browser/lib/files.mjs';
import { cli, folder, openBrowser, pageFolder, root, startServer, vaultFolder } from '../../tests/browser/lib/harness.mjs';
import { makePhoto } from '../../tests/browser/lib/photos.mjs';
import { encodePng } from '../../tests/browser/lib/png.mjs';

const say = (fields) => console.log(JSON.stringify(fields));
const large = process.argv.includes('--large');
const [seconds, ...sizes] = process.argv.slice(2).filter((word) => word !== '--large').map(Number);

await oneWorker();
await evaluationKeys();
await wholeJob('browser: job of 512x512', 512, 512);
await vaultBesidePlain(1024, 768);
if (large) await wholeJob('browser: job of 4000x3000', 4000, 3000);

/** Keys made by the command line, because how long a search for primes takes is chance. */
async function keys() {
  const made = [];
  for (const bits of sizes) {
    const file = join(folder(), 'key');
    await cli('keygen', 'paillier', '--bits', String(bits), '--out', file);
    made.push({ bits, key: [...readFileSync(file)] });
  }
  return made;
}

async function oneWorker() {
  const [bench, node] = [join(root, 'benches/browser'), join(root, 'benches/peers/node')];
  const files = await serveFiles({ vault: vaultFolder, bench, node });
  const browser = await openBrowser('chromium');
  say({ who: 'browser', version: browser.version });
  try {
    const visit = await browser.open(`${files.url}/bench/index.html`);
    await visit.page.evaluate((task) => window.measure(task), { keys: await keys(), seconds });
    for (;;) {
      const said = await visit.until(() => window.said.shift(), 'the worker', { minutes: 10 });
      if (said.error) throw new Error(said.error);
      if (said.end) break;
      say(said);
    }
  } finally {
    await browser.close();
    files.close();
  }
}

/** One evaluation key of the largest set, for its highest level, as one worker makes it. */
async function evaluationKeys() {
  const files = await serveFiles({ vault: vaultFolder, page: pageFolder, test: join(root, 'tests/browser/ckks') });
  const browser = await openBrowser('chromium');
  try {
    const { page } = await browser.open(`${files.url}/test/index.html`, { ready: false });
    await page.waitForFunction(() => document.documentElement.dataset.ready);
    const ask = (file, task) => page.evaluate((args) => window.inWorker(args), { file, task });
    const builds = ['safelight_ckks_relaxed.wasm', 'safelight_ckks_bg.wasm'];
    for (const [place, file] of builds.entries()) {
      const { bytes } = await ask(file, { what: 'newKey', set: 'bootstrap-16' });
      const { each, arithmetic } = await ask(file, { what: 'cost', bytes, times: 5 });
      const what = 'browser: evaluation key of bootstrap-16';
      say({ who: place === 0 ? 'ours' : `kernel ${arithmetic}`, what, bits: 1670, ns: Math.round(median(each) * 1e9) });
    }
  } finally {
    await browser.close();
    files.close();
  }
}

function median(all) {
  return all.toSorted((a, b) => a - b)[all.length >> 1];
}

/** From the drop of a photo to its picture, with the key at hand: a 3x3 mean at 3072 bits. */
async function wholeJob(what, width, height) {
  const server = await startServer();
  const browser = await openBrowser('chromium');
  try {
    const page = await browser.open(server.url);
    await page.newKey(3072);
    await page.filter('mean', { radius: 1 });
    const photo = join(folder(), 'photo.png');
    writeFileSync(photo, encodePng(makePhoto(width, height, 3, 41)));
    const ms = await jobInVault(page, photo);
    say({ who: 'ours', what, bits: 3072, ns: Math.round(ms * 1e6) });
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** The vault beside the class on a plain page: the same key and photo, in turns, so that a busy machine is fair to both. */
async function vaultBesidePlain(width, height) {
  const work = folder();
  const [key, photo] = [join(work, 'my.key'), join(work, 'photo.png')];
  await cli('keygen', 'paillier', '--bits', '3072', '--out', key);
  writeFileSync(photo, encodePng(makePhoto(width, height, 3, 43)));
  const bench = join(root, 'benches/browser');
  const files = await serveFiles({ vault: vaultFolder, page: pageFolder, bench, work });
  const server = await startServer('--allow-origin', files.url);
  const browser = await openBrowser('chromium');
  const times = { vault: [], plain: [] };
  const plainly = async () => {
    const page = await browser.open(`${files.url}/bench/plain.html`, { ready: false });
    await page.until(() => document.documentElement.dataset.ready, 'the plain page');
    await page.page.evaluate((bytes) => window.begin(bytes), [...readFileSync(key)]);
    const job = () => page.page.evaluate((from, to) => window.job(from, to), '/work/photo.png', server.url);
    await job(); // the first one makes tables
    for (let i = 0; i < 2; i++) times.plain.push(await job());
    await page.page.close();
  };
  const inTheVault = async () => {
    const page = await browser.open(server.url);
    await page.choose('open-key', key);
    await page.until(() => / bits/.test(document.getElementById('key-state').textContent), 'the key');
    await page.filter('mean', { radius: 1 });
    for (let i = 0; i < 3; i++) {
      const ms = await jobInVault(page, photo);
      if (i > 0) times.vault.push(ms);
    }
    await page.page.close();
  };
  try {
    for (let turn = 0; turn < 4; turn++) {
      await plainly();
      await inTheVault();
    }
  } finally {
    await browser.close();
    await server.stop();
    files.close();
  }
  for (const [where, all] of Object.entries(times)) {
    const middle = all.sort((a, b) => a - b)[all.length >> 1]; // the fastest of a few may be luck, which is no one's merit
    const ns = Math.round(middle * 1e6);
    say({ who: where === 'plain' ? 'plain page' : 'ours', what: `browser: job of ${width}x${height}, later ones`, bits: 3072, ns });
  }
}

/**
 * Chooses a photo and gives the milliseconds from there to its picture. The vault itself is asked, and only once: handing the
 * file over to the browser is no part of the job, and asking again and again would take the cores from it.
 */
async function jobInVault(page, photo) {
  await page.vault.evaluate(() => {
    const listen = { capture: true, once: true };
    document.getElementById('photos').addEventListener('change', () => (window.began = performance.now()), listen);
  });
  await page.choosePhoto(photo);
  const { state, ms } = await page.vault.evaluate(async () => {
    const card = document.querySelector('[data-testid="photo"]');
    const ended = () => !['waiting', 'running'].includes(card.dataset.state);
    await new Promise((end) => {
      const look = () => ended() && end();
      new MutationObserver(look).observe(card, { attributeFilter: ['data-state'] });
      look();
    });
    return { state: card.dataset.state, ms: performance.now() - window.began };
  });
  if (state !== 'done') throw new Error(`the photo ended ${state}`);
  return ms;
}
