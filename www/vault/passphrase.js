// A rough estimate of a passphrase's strength, good enough to warn about those that are guessed first.

import { words } from './words.js';

export const SHORTEST = 8; // letters
const ENOUGH = 45; // bits; each guess takes at least a tenth of a second, and 128 MiB
const KINDS = [
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/[0-9]/, 10],
  [/[^a-zA-Z0-9]/, 12],
];
// Words that are tried before anything else, in the languages of this page.
const FAVOURITES =
  /passwor[dt]|passphrase|kennwort|geheim|secret|letmein|welcome|willkommen|iloveyou|qwert[yz]|asdf|yxcv|admin|hallo|hello|schatz|dragon|football|monkey|sunshine|princess|safelight|(19|20)\d\d/gi;

/** Advice about a passphrase, or '' if it is fine. */
export function advice(passphrase) {
  return passphrase && bits(passphrase) < ENOUGH ? words.dialog.weak : '';
}

function bits(passphrase) {
  const rest = passphrase.replaceAll(FAVOURITES, '\u0000');
  const choice = KINDS.reduce((sum, [kind, size]) => sum + (kind.test(rest) ? size : 0), 0);
  const letters = [...rest].map((letter) => letter.codePointAt(0));
  // Repeated and consecutive characters, as in "aaaa" and "4567", add next to nothing.
  const fresh = letters.filter((code, i) => i === 0 || Math.abs(code - letters[i - 1]) > 1);
  return Math.min(fresh.length, 2 * new Set(letters).size) * Math.log2(Math.max(choice, 2));
}
