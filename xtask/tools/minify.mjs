// Makes scripts smaller, each for itself and in place. Names at the top of a script stay: tests plant faults by them.

import { readFile, writeFile } from 'node:fs/promises';
import { minify } from 'terser';

for (const file of process.argv.slice(2)) {
  const { code } = await minify(await readFile(file, 'utf8'), { ecma: 2022, compress: { passes: 2 }, mangle: true });
  await writeFile(file, `${code}\n`);
}
