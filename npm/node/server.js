// The client of a server, for Node: the same classes as in browsers, with the WebAssembly file read from disk.

import { readFile } from 'node:fs/promises';
import { usable } from '../client/build.js';
import { loader } from '../client/remote/remote.js';

loader.module = async () => WebAssembly.compile(await readFile(usable('remote')[0].url));

export * from '../client/remote/server.js';
