// The needles of one visit: the key and everything from which it can be rebuilt, the pixels, the names.

import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli, folder } from './harness.mjs';
import { readSecretKey, secretNumbers } from './keys.mjs';
import { split } from './photos.mjs';
import { makeNeedles } from './search.mjs';

/**
 * Returns `secret`, the needles that must not be found, and `open`, those that must be, because they travel with every
 * encrypted photo. `keyFile` are the bytes of the secret key file, `pictures` the photos and results, `texts` names and
 * passphrases, and `profile` the photos' colour profile, whose header looks like any other's.
 */
export async function needlesOf({ keyFile, pictures, texts, profile }) {
  const [keyPath, publicKey] = ['my.key', 'my.pub'].map((name) => join(folder(), name));
  writeFileSync(keyPath, keyFile, { mode: 0o600 });
  await cli('pubkey', keyPath, '--out', publicKey);
  const key = readSecretKey(keyFile);
  return {
    secret: makeNeedles({
      numbers: secretNumbers(key),
      bytes: { 'the key file': keyFile, ...(profile && { 'the colour profile': profile.subarray(132) }) },
      rows: pictures.flatMap(rows),
      texts,
      harmless: [readFileSync(publicKey)],
    }),
    open: makeNeedles({ numbers: { 'modulus n': key.n } }),
  };
}

/** Rows of a picture as they may lie in memory: as they are, without alpha, as planes, as luminance. */
function rows(photo) {
  const { width, height, channels, data } = photo;
  const { planes, alpha } = split(photo);
  const of = (c) => planes[c % planes.length];
  const colours = Uint8Array.from({ length: 3 * width * height }, (_, i) => of(i % 3)[Math.floor(i / 3)]);
  const grey = Uint8Array.from(planes[0], (_, i) => Math.round(0.299 * of(0)[i] + 0.587 * of(1)[i] + 0.114 * of(2)[i]));
  const cut = (samples, line) => Array.from({ length: height }, (_, y) => samples.subarray(y * line, (y + 1) * line));
  return [
    ...cut(data, width * channels),
    ...cut(colours, width * 3),
    ...cut(grey, width),
    ...(alpha ? cut(alpha, width) : []),
    ...planes.flatMap((plane) => cut(plane, width)),
  ];
}
