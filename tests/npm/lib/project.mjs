// A project in which the package is installed, and other tools of these tests.
//
// SAFELIGHT_PACKAGE: the built package, by default target/npm. The other settings are those of tests/browser.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder, listening, root } from '../../browser/lib/harness.mjs';

export const here = fileURLToPath(new URL('..', import.meta.url));
export const packageFolder = resolve(process.env.SAFELIGHT_PACKAGE || join(root, 'target/npm'));
export const pageFolder = resolve(process.env.SAFELIGHT_PAGE || join(root, 'target/page'));
export const vaultFolder = resolve(process.env.SAFELIGHT_VAULT || join(root, 'target/vault'));
const serverProgram = resolve(process.env.SAFELIGHT_SERVER || join(root, 'target/release/safelight'));

/** A fresh folder with the package installed as npm would publish it, and with a copy of `app` (a folder of these tests). */
export function project(app) {
  const place = folder();
  const packed = execFileSync('npm', ['pack', packageFolder, '--silent', '--ignore-scripts'], { cwd: place, encoding: 'utf8' });
  const installed = join(place, 'node_modules/safelight');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', packed.trim(), '-C', installed, '--strip-components=1'], { cwd: place });
  writeFileSync(join(place, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
  if (app) cpSync(join(here, app), place, { recursive: true });
  return { place, installed };
}

/** The server that filters. */
export function startServer(...args) {
  return listening(serverProgram, ['serve', '--listen', '127.0.0.1:0', ...args]);
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
  '.wasm': 'application/wasm',
};

/** Serves a folder's files and nothing else, as any web host does. Counts the bytes of each file in `sent`. */
export async function serveFiles(place, { host = '127.0.0.1', headers = {} } = {}) {
  const sent = new Map();
  const server = createServer(async ({ url }, answer) => {
    const path = new URL(url, 'http://any').pathname.replace(/\/$/, '/index.html');
    const body = await readFile(join(place, path)).catch(() => null);
    if (body) sent.set(path, body);
    answer.writeHead(body ? 200 : 404, { ...headers, 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' });
    answer.end(body);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const stop = () => new Promise((done) => (server.close(done), server.closeAllConnections()));
  return { url: `http://${host}:${server.address().port}/`, sent, stop };
}
