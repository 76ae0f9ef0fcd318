#!/usr/bin/env node
// Prepares the vault for hosting: its files, and the headers that they must be sent with, in the formats of common web hosts.

import { cp, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const HELP = `Lays out the Safelight vault for hosting on an origin of its own.

  safelight-vault FOLDER --embedder ORIGIN [--embedder ORIGIN]...

FOLDER gets the vault's files, and _headers, which Netlify and Cloudflare Pages read. FOLDER.nginx.conf is the same for
nginx, to be included where FOLDER is served. An embedder is the origin of a site that may show the vault, such as
https://photos.example, or * for all sites.
`;

/** The headers of every answer of the vault's host. Their policy keeps photos in the vault: never host it without them. */
function headers(embedders) {
  return {
    'Content-Security-Policy':
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; " +
      "img-src 'self' blob:; style-src 'self'; base-uri 'none'; form-action 'none'; " +
      `frame-ancestors ${embedders.join(' ')}; sandbox allow-scripts allow-same-origin allow-downloads; ` +
      "require-trusted-types-for 'script'; trusted-types default",
    'Permissions-Policy':
      'bluetooth=(), camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=()',
    'X-DNS-Prefetch-Control': 'off',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Origin-Agent-Cluster': '?1',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-cache',
  };
}

function read(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { embedder: { type: 'string', multiple: true, default: [] }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return null;
  if (positionals.length !== 1) throw new Error('name one folder');
  if (values.embedder.length === 0) throw new Error('name the sites that may show the vault: --embedder ORIGIN');
  return { folder: resolve(positionals[0]), embedders: values.embedder.map(origin) };
}

function origin(text) {
  if (text === '*') return text;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || `${url.origin}/` !== url.href) {
    throw new Error(`${text} is no origin; one looks like https://photos.example`);
  }
  return url.origin;
}

async function layOut({ folder, embedders }) {
  const from = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
  await cp(from('vault'), folder, { recursive: true });
  for (const name of ['client', 'shared']) await cp(from(name), `${folder}/${name}`, { recursive: true });
  const lines = Object.entries(headers(embedders));
  await writeFile(`${folder}/_headers`, ['/*', ...lines.map(([name, value]) => `  ${name}: ${value}`), ''].join('\n'));
  const directives = lines.map(([name, value]) => `add_header ${name} "${value}" always;`);
  await writeFile(`${folder}.nginx.conf`, [...directives, ''].join('\n'));
  const { version } = JSON.parse(await readFile(from('package.json'), 'utf8'));
  console.log(`the vault of Safelight ${version} is in ${folder}`);
}

try {
  const wanted = read(process.argv.slice(2));
  if (wanted) await layOut(wanted);
  else console.log(HELP);
} catch (error) {
  console.error(`safelight-vault: ${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
