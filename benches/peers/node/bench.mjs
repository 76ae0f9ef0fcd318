// npm's `paillier-bigint` in Node: prints one JSON line for each thing measured. `node bench.mjs SECONDS BITS...`

import { readFileSync } from 'node:fs';
import * as library from 'paillier-bigint';
import { measurePaillier } from './paillier.mjs';

const who = 'paillier-bigint';
const say = (fields) => console.log(JSON.stringify({ who, ...fields }));

const [seconds, ...sizes] = process.argv.slice(2).map(Number);
const { version } = JSON.parse(readFileSync(new URL('node_modules/paillier-bigint/package.json', import.meta.url)));
say({ version: `${version}, Node ${process.versions.node}` });
for (const bits of sizes) await measurePaillier(library, seconds, bits, (what, ns) => say({ what, bits, ns }));
