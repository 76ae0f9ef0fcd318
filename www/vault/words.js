// The vault's language: which catalogue is in use, the texts on the page, and number formats.

import { de } from './words/de.js';
import { en } from './words/en.js';

const catalogues = { en, de };
let language = 'en';

/** The catalogue in use. */
export let words = en;

/** Fires `change` when the language has changed. */
export const languages = new EventTarget();

/** Switches to the first of these languages (as in `navigator.languages`) that has a catalogue. */
export function choose(tags) {
  const known = tags.map((tag) => String(tag).toLowerCase().split('-')[0]).find((tag) => Object.hasOwn(catalogues, tag));
  language = known ?? 'en';
  words = catalogues[language];
  document.documentElement.lang = language;
  fill(document);
  languages.dispatchEvent(new Event('change'));
}

/** Fills in the elements marked with `data-word` (text), `data-words` (list) or `data-word-label` (label). */
export function fill(root) {
  for (const element of root.querySelectorAll('[data-word]')) element.textContent = at(element.dataset.word);
  for (const element of root.querySelectorAll('[data-word-label]'))
    element.setAttribute('aria-label', at(element.dataset.wordLabel));
  for (const list of root.querySelectorAll('[data-words]')) {
    list.replaceChildren(
      ...at(list.dataset.words).map((text) => Object.assign(document.createElement('li'), { textContent: text })),
    );
  }
}

function at(path) {
  return path.split('.').reduce((part, name) => part[name], words);
}

/** An entry of a catalogue, if it has one of that name. */
export const own = (entries, name) => (Object.hasOwn(entries, name) ? entries[name] : undefined);

/** A text of foreign origin: one line, cut off if it is long. */
export function foreign(text, most = 40) {
  const line = text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** An error for display: what happened, what to do, and the stable code. */
export function explain(error) {
  const code = error.code ?? 'internal';
  const text = String(own(words.errors, code) ?? error.message ?? error).replace(/\.$/, '');
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  const advice = own(words.advice, code);
  return `${first}. ${advice ? `${advice} ` : ''}[${code}]`;
}

/** A size in bytes, in decimal units. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${fixed(count / 1e3)} kB`;
  return `${fixed(count / 1e6)} MB`;
}

/** A percentage, or '' if the total is unknown. */
export function percent(done, total) {
  if (!(total > 0)) return '';
  const part = (100 * done) / total;
  return part > 0 && part < 10 ? `${fixed(part)} %` : `${Math.floor(part)} %`;
}

/** A time span. */
export function span(seconds) {
  if (seconds < 60) return words.seconds(Math.max(1, Math.round(seconds)));
  const minutes = Math.floor(seconds / 60);
  return minutes < 10 ? words.minutes(minutes, Math.round(seconds % 60)) : words.minutes(Math.round(seconds / 60), null);
}

function fixed(number) {
  return number.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}
