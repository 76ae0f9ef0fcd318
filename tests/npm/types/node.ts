// What a program in Node writes, without the types of browsers.

import { readFile, writeFile } from 'node:fs/promises';
import { Safelight } from 'safelight';
import { Server } from 'safelight/server';

const safelight = await Safelight.open();
try {
  await safelight.openKey(await readFile('my.key'));
  const server = new Server(new URL('http://127.0.0.1:8080'));
  const { png, rgba } = await safelight.filter(await readFile('photo.png'), { server, filter: 'mean' });
  const first: number | undefined = rgba[0];
  await writeFile('blurred.png', new Uint8Array(await png.arrayBuffer()));
  console.log(first);
} finally {
  safelight.close();
}
