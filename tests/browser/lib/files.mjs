// A plain server of files, for pages without a vault.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const SCRIPT = 'text/javascript';
const TYPES = { '.html': 'text/html', '.js': SCRIPT, '.mjs': SCRIPT, '.json': 'application/json', '.wasm': 'application/wasm' };

/** Serves folders: the first part of an address names one of them. */
export async function serveFiles(folders) {
  const server = createServer(async (request, response) => {
    const [, name, ...rest] = normalize(new URL(request.url, 'http://here').pathname).split('/');
    try {
      const body = await readFile(join(folders[name], ...rest));
      response.writeHead(200, { 'content-type': TYPES[extname(rest.at(-1))] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
