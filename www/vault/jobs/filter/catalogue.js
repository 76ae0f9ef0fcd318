// What the site wants done with photos, as far as the vault knows it. The site's words are shown nowhere: only the catalogue's
// names are, and numbers.

import { SafelightError } from '../../../shared/errors.js';
import { words } from '../../words.js';

const MOST_NUMBERS = 3_000; // letters of a parameter; a kernel of 15x15 has the most

/** Fails unless the filter and its parameters are of the catalogue, and the values made of numbers. */
export function checkFilter({ filter, params }, catalogue) {
  const known = catalogue.find(({ name }) => name === filter);
  if (!known) throw new SafelightError('unknown_filter', words.task.noFilter);
  for (const [name, value] of Object.entries(params)) {
    if (!known.parameters.some((one) => one.name === name)) throw new SafelightError('bad_filter', words.task.noParameter(filter));
    // Of a size such as 3x5, too. One wrong letter is told to whoever builds the site; one alone says nothing.
    const wrong = /[^-+.,;x\d\s]/.exec(value)?.[0];
    if (wrong) throw new SafelightError('bad_filter', words.task.noNumber(name, /[!-~]/.test(wrong) ? wrong : '?'));
    if (value.length > MOST_NUMBERS) throw new SafelightError('bad_filter', words.task.tooLong(name));
  }
}

/** A filter with its parameters as one line; empty where it is none of the catalogue. */
export function filterText(task, catalogue) {
  try {
    checkFilter(task, catalogue);
  } catch {
    return '';
  }
  return [task.filter, ...Object.entries(task.params).map(([name, value]) => `${name} ${value}`)].join(' ');
}

/** What a file says was done with its photo, where it is of that kind; else that this is unknown. */
export function historyText(text, catalogue) {
  const steps = text.split(/; | \[|\]/).filter(Boolean);
  const known = (step) => {
    const [filter, ...pairs] = step.split(' ');
    return filterText({ filter, params: Object.fromEntries(pairs.map((pair) => pair.split('=', 2))) }, catalogue) !== '';
  };
  return steps.every(known) ? text : words.card.unknownFilter;
}
