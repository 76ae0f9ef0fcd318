// Starts the real server and real browsers for the tests, and drives the page as a person would.
//
// SAFELIGHT_SERVER and SAFELIGHT_CLI: the two programs. SAFELIGHT_PAGE, SAFELIGHT_VAULT: the built sites.
// SAFELIGHT_PYTHON: a Python 3.
// SAFELIGHT_BROWSERS: which browsers to run, by default "chromium,firefox". SAFELIGHT_CHROMIUM, SAFELIGHT_FIREFOX: their
// paths.

import { spawn, execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import puppeteer from 'puppeteer-core';

const MINUTE = 60_000;
const env = (name, preset) => process.env[name] || preset;

export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
export const pageFolder = resolve(env('SAFELIGHT_PAGE', join(root, 'target/page')));
export const vaultFolder = resolve(env('SAFELIGHT_VAULT', join(root, 'target/vault')));
export const python = env('SAFELIGHT_PYTHON', 'python3');
const serverProgram = resolve(env('SAFELIGHT_SERVER', join(root, 'target/release/safelight')));
const cliProgram = resolve(env('SAFELIGHT_CLI', join(root, 'target/release/safelight')));
const places = {
  chromium: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  firefox: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
};

/** The browsers to test in. */
export const browsers = env('SAFELIGHT_BROWSERS', 'chromium,firefox')
  .split(',')
  .map((name) => name.trim());

const workplace = mkdtempSync(join(tmpdir(), 'safelight-test-'));
process.env.SAFELIGHT_HOME = join(workplace, 'home'); // where the command line stores its state
process.on('exit', () => rmSync(workplace, { recursive: true, force: true }));

/** A fresh folder, removed when the test process ends. */
export function folder() {
  return mkdtempSync(join(workplace, 'folder-'));
}

/** Where the screenshots go. */
export function screenshotPath(name) {
  const path = join(root, 'target/screenshots');
  mkdirSync(path, { recursive: true });
  return join(path, `${name}.png`);
}

/** Starts a program and waits for the line on its standard output with the address that it listens on. */
export async function listening(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const url = await new Promise((ready, failed) => {
    const timer = setTimeout(() => failed(new Error(`${program} did not start: ${said}`)), MINUTE);
    const hear = (data) => {
      said += data;
      const found = /listening on (http:\/\/\S+)/.exec(said);
      if (found) ready((clearTimeout(timer), found[1]));
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', (error) => (clearTimeout(timer), failed(error)));
    child.on('exit', (code) => (clearTimeout(timer), failed(new Error(`${program} ended with ${code}: ${said}`))));
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const stop = async () => {
    const timer = setTimeout(() => child.kill('SIGKILL'), MINUTE);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  };
  return { url, stop };
}

/** The server under test, with the page at 127.0.0.1 and the vault at localhost. */
export function startServer(...args) {
  return serve({}, ...args);
}

/** The same with another page or vault, or at another port. */
export function serve({ page = pageFolder, vault = vaultFolder, port = 0 }, ...args) {
  return listening(serverProgram, ['serve', '--listen', `127.0.0.1:${port}`, '--page', page, '--vault', vault, ...args]);
}

/** Runs the command line; fails if it does. */
export async function cli(...args) {
  return promisify(execFile)(cliProgram, args, { maxBuffer: 1 << 28 });
}

/**
 * Starts a browser. `proxy` is the port of a recorder for all its traffic, `profile` the browser's profile folder, `prefs` are
 * further settings of Firefox, and `args` of Chromium.
 */
export async function openBrowser(name, { proxy, profile = folder(), prefs = {}, args = [] } = {}) {
  const downloads = folder();
  const common = { headless: true, acceptInsecureCerts: false, protocolTimeout: 10 * MINUTE, userDataDir: profile };
  const executablePath = env(`SAFELIGHT_${name.toUpperCase()}`, places[name]?.find(existsSync));
  if (!executablePath) throw new Error(`there is no ${name} here; set SAFELIGHT_${name.toUpperCase()}`);
  const browser = await puppeteer.launch(
    name === 'firefox'
      ? { ...common, browser: 'firefox', executablePath, extraPrefsFirefox: { ...firefoxPrefs(downloads, proxy), ...prefs } }
      : {
          ...common,
          executablePath,
          args: [...chromiumArgs(proxy), ...args],
          downloadBehavior: { policy: 'allow', downloadPath: downloads },
        },
  );
  // `first` runs in the page before its own scripts; `ready` says whether to wait until the page can be used.
  const open = async (url, { first, ready = true } = {}) => {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    const visit = new Visit(page, downloads);
    if (first) await page.evaluateOnNewDocument(first);
    await page.goto(url, { waitUntil: 'load' });
    if (ready) await visit.ready();
    return visit;
  };
  return { open, close: () => browser.close(), version: await browser.version() };
}

function chromiumArgs(proxy) {
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  if (proxy) args.push(`--proxy-server=http://127.0.0.1:${proxy}`, '--proxy-bypass-list=<-loopback>');
  return args;
}

function firefoxPrefs(downloads, proxy) {
  const prefs = {
    'browser.download.dir': downloads,
    'browser.download.folderList': 2,
    'browser.download.useDownloadDir': true,
    'browser.download.always_ask_before_handling_new_types': false,
    'browser.download.alwaysOpenPanel': false,
    'browser.helperApps.neverAsk.saveToDisk': 'image/png,application/octet-stream,application/vnd.safelight',
  };
  if (proxy) {
    Object.assign(prefs, {
      'network.proxy.type': 1,
      'network.proxy.http': '127.0.0.1',
      'network.proxy.http_port': proxy,
      'network.proxy.ssl': '127.0.0.1',
      'network.proxy.ssl_port': proxy,
      'network.proxy.no_proxies_on': '',
      'network.proxy.allow_hijacking_localhost': true,
    });
  }
  return prefs;
}

/**
 * A frame as an extension sees it, whose scripts run in an isolated world. axe works there: it creates elements that the vault
 * does not allow.
 */
export const asideOf = (frame) => frame.isolatedRealm();

/** The elements of the site around the vault; all others are in the vault. */
const OF_THE_SITE = /^(filter|parameter.*|border|view|language|events|page-message|safelight)$/;

/** One open page. */
export class Visit {
  page;
  complaints = []; // console errors and uncaught exceptions
  #downloads;

  constructor(page, downloads) {
    this.page = page;
    this.#downloads = downloads;
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.complaints.push(message.text()));
    page.on('dialog', (dialog) => dialog.accept());
  }

  /** The vault's frame; the page itself if there is none. */
  get vault() {
    const mine = new URL(this.page.url()).origin;
    const other = this.page.frames().find((frame) => /^http/.test(frame.url()) && new URL(frame.url()).origin !== mine);
    return other ?? this.page.mainFrame();
  }

  /** The frame that contains an element. */
  #around(testid) {
    return OF_THE_SITE.test(testid) ? this.page.mainFrame() : this.vault;
  }

  async ready() {
    const is = () => document.documentElement.dataset.ready === 'yes';
    await this.until(is, 'the page to be ready', { where: () => this.page.mainFrame() });
    await this.until(is, 'the vault to be ready');
  }

  /** Waits until a function in the vault (or another frame) returns a truthy value, and returns it. */
  async until(probe, what, { minutes = 1, args = [], where = () => this.vault } = {}) {
    const end = Date.now() + minutes * MINUTE;
    for (;;) {
      // A frame that is being loaded cannot run the function.
      const value = await where()
        .evaluate(probe, ...args)
        .catch((error) => (Date.now() > end ? Promise.reject(error) : null));
      if (value) return value;
      if (Date.now() > end) throw new Error(`waited in vain for ${what}; the page says: ${await this.words()}`);
      await sleep(40);
    }
  }

  async words() {
    const said = await Promise.all(
      [this.page.mainFrame(), this.vault].map((frame) => frame.evaluate(() => document.body.innerText.slice(0, 3000))),
    );
    return said.join('\n');
  }

  async find(testid) {
    const found = await this.#around(testid).$(`[data-testid="${testid}"]`);
    if (!found) throw new Error(`no ${testid} on the page`);
    return found;
  }

  /** Chooses a file, as soon as the vault is not busy. */
  async choose(testid, path) {
    const input = await this.find(testid);
    for (let tries = 0; await input.evaluate((element) => element.disabled); tries++) {
      if (tries === 50) throw new Error(`${testid} is disabled`);
      await sleep(40);
    }
    await input.uploadFile(path);
  }

  /** Chooses a photo and waits for its card, which is then the newest. */
  async choosePhoto(path) {
    await this.#grows(1, () => this.choose('photos', path));
  }

  /** Drops photos or encrypted images `[name, bytes]` and waits for their cards. */
  async put(...files) {
    await this.#grows(files.length, () => this.drop(...files));
  }

  async #grows(count, act) {
    const cards = () => document.querySelectorAll('[data-testid="photo"]').length;
    const before = await this.vault.evaluate(cards);
    await act();
    await this.until(
      (wanted) => document.querySelectorAll('[data-testid="photo"]').length === wanted,
      `${count} more cards`,
      { args: [before + count] },
    );
  }

  /** Drops any files `[name, bytes]` on the page. */
  async drop(...files) {
    const packed = files.map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
    await this.vault.evaluate((list) => {
      const dataTransfer = new DataTransfer();
      for (const [name, text] of list) {
        dataTransfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
      }
      const target = document.querySelector('[data-testid="drop"]');
      for (const type of ['dragover', 'drop']) {
        target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      }
    }, packed);
  }

  /** Clicks a button of the page, or of a card. The vault is busy for a moment after a photo: see its opening.js. */
  async click(testid, card) {
    const click = (id, index) => {
      const scope = index === null ? document : document.querySelectorAll('[data-testid="photo"]')[index];
      const button = scope.querySelector(`[data-testid="${id}"]`);
      if (button.disabled) return false;
      button.click();
      return true;
    };
    for (let tries = 0; !(await this.#around(testid).evaluate(click, testid, card ?? null)); tries++) {
      if (tries === 50) throw new Error(`${testid} is disabled`);
      await sleep(40);
    }
  }

  /** Sets a field as a user would: value, then the events. */
  async set(testid, value) {
    await this.#around(testid).evaluate(
      (id, text) => {
        const field = document.querySelector(`[data-testid="${id}"]`);
        if (field.type === 'checkbox') field.checked = text === 'true';
        else field.value = text;
        for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
      },
      testid,
      String(value),
    );
  }

  async filter(name, params = {}, { border = 'replicate', view = 'clamp' } = {}) {
    await this.set('filter', name);
    const fields = await this.page.$$eval('[data-parameter]', (all) => all.map((field) => field.dataset.parameter));
    for (const field of fields) await this.set(`parameter-${field}`, params[field] ?? '');
    await this.set('border', border);
    await this.set('view', view);
    const asked = await this.page.$eval('safe-light', (element) =>
      [element.getAttribute('filter'), element.getAttribute('border'), element.getAttribute('view')].join(' '),
    );
    const given = Object.entries(params).map(([key, value]) => `${key}=${value}`);
    await this.until(
      (wanted, values) => {
        const task = JSON.parse(document.documentElement.dataset.task ?? '{}');
        const told = Object.entries(task.params ?? {}).map(([key, value]) => `${key}=${value}`);
        const same = told.length === values.length && values.every((value) => told.includes(value));
        return same && [task.filter, task.border, task.view].join(' ') === wanted;
      },
      'the vault to hear of the filter',
      { args: [asked, given] },
    );
  }

  /** Chooses a filter with so large a kernel that encrypting for it takes many seconds: there is time to cancel. */
  slowFilter() {
    return this.filter('gaussian', { sigma: 40 });
  }

  text(testid) {
    return this.#around(testid).$eval(`[data-testid="${testid}"]`, (element) => element.textContent);
  }

  /** Waits until a card (0 is the newest) ends, and returns its state and error. */
  async ended(card = 0, minutes = 5) {
    return this.until(
      (index) => {
        const element = document.querySelectorAll('[data-testid="photo"]')[index];
        const state = element?.dataset.state;
        if (!['done', 'failed', 'cancelled'].includes(state)) return null;
        return {
          state,
          error: element.querySelector('[data-testid="error"]').textContent,
          bytes: Number(element.querySelector('[data-part="bytes"]').dataset.bytes ?? 0),
        };
      },
      `card ${card} to end`,
      { minutes, args: [card] },
    );
  }

  async done(card = 0, minutes = 5) {
    const end = await this.ended(card, minutes);
    if (end.state !== 'done') throw new Error(`${end.state}: ${end.error}`);
    return end;
  }

  /** Clicks a button that saves a file, and returns the file's name, path and bytes. */
  async saved(testid, card) {
    await this.click(testid, card);
    // Browsers write under another name first, and rename the file at the end.
    for (let tries = 0; tries < 600; tries++) {
      await sleep(50);
      const [name, size] = onlyFile(this.#downloads);
      if (!size || /\.(crdownload|part|tmp)$/.test(name)) continue;
      await sleep(100);
      if (String(onlyFile(this.#downloads)) !== String([name, size])) continue;
      const path = join(folder(), name);
      renameSync(join(this.#downloads, name), path);
      return { name, path, bytes: readFileSync(path) };
    }
    throw new Error(`${testid} saved nothing, or more than one file: ${readdirSync(this.#downloads)}`);
  }

  /** Saves the file of the key in use, under a passphrase if there is one. */
  async savedKey(passphrase) {
    await this.click('save-key');
    if (passphrase === undefined) await this.set('dialog-bare', true);
    else for (const field of ['dialog-passphrase', 'dialog-again']) await this.set(field, passphrase);
    return this.saved('dialog-yes');
  }

  /** Makes a key and waits for it. If the vault asks how to store it, answers: without protection. */
  async newKey(bits = 2048) {
    await this.newKeyUndecided(bits);
    await this.keepUnprotected();
  }

  /** If the vault asks how to store a new key, answers: without protection. */
  async keepUnprotected() {
    const asks = () => !document.getElementById('keep').hidden;
    if (!(await this.vault.evaluate(asks))) return;
    await this.click('keep-unprotected');
    await this.until(() => document.getElementById('dialog').open, 'the dialog');
    await this.click('dialog-yes');
    await this.until(() => document.getElementById('keep').hidden, 'the key to be kept');
  }

  /** When the vault asks how to store a key, answers: under a passphrase. */
  async protectBy(passphrase) {
    await this.until(() => !document.getElementById('keep').hidden, 'the question');
    await this.click('keep-passphrase');
    await this.until(() => document.getElementById('dialog').open, 'the dialog');
    for (const field of ['dialog-passphrase', 'dialog-again']) await this.set(field, passphrase);
    await this.click('dialog-yes');
    await this.until(() => document.getElementById('keep').hidden, 'the keys to be protected');
  }

  /** Makes a key and waits for it. */
  async newKeyUndecided(bits = 2048) {
    await this.set('bits', bits);
    const before = await this.text('fingerprint');
    await this.click('new-key');
    await this.until(
      (old) => {
        const text = document.querySelector('[data-testid="fingerprint"]').textContent;
        return text.startsWith('Fingerprint') && text !== old;
      },
      'a key',
      { minutes: 5, args: [before] },
    );
  }

  /** Takes screenshots of the page on a phone and then on a desktop, whose size it keeps. */
  async screenshots(name) {
    await this.screenshot(`${name}-phone`, 360, 740);
    await this.screenshot(name, 1280, 900);
  }

  /** A picture of the whole page. (Browsers cut off parts of cross-origin frames that did not fit on the screen.) */
  async screenshot(name, width, height) {
    await this.page.setViewport({ width, height });
    await sleep(400);
    const whole = await this.page.evaluate(() => document.documentElement.scrollHeight);
    await this.page.setViewport({ width, height: Math.max(height, whole) });
    await sleep(400);
    await this.page.screenshot({ path: screenshotPath(name) });
    await this.page.setViewport({ width, height });
  }
}

/** The name and the size of a folder's only file; nothing if it has none, or more than one, or is just changing. */
function onlyFile(place) {
  const names = readdirSync(place).filter((name) => !name.startsWith('.'));
  const size = names.length === 1 ? statSync(join(place, names[0]), { throwIfNoEntry: false })?.size : undefined;
  return size === undefined ? [] : [names[0], size];
}
