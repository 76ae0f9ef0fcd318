// The filters that the site asks for, if the vault knows them. The vault never shows the site's own words, only names from the
// catalogue and numbers.

import { SafelightError } from '../../../shared/errors.js';
import { words } from '../../words.js';

const MOST_NUMBERS = 3_000; // letters of a parameter; a kernel of 15x15 has the most

/** Fails unless the filter and its parameters are in the catalogue and the values consist of numbers. */
export function checkFilter({ filter, params }, catalogue) {
  const known = catalogue.find(({ name }) => name === filter);
  if (!known) throw new SafelightError('unknown_filter', words.task.noFilter);
  for (const [name, value] of Object.entries(params)) {
    if (!known.parameters.some((one) => one.name === name)) throw new SafelightError('bad_filter', words.task.noParameter(filter));
    // A size such as 3x5 is allowed, too. The error names one wrong character for the site's developers; one cannot form a text.
    const wrong = /[^-+.,;x\d\s]/.exec(value)?.[0];
    if (wrong) throw new SafelightError('bad_filter', words.task.noNumber(name, /[!-~]/.test(wrong) ? wrong : '?'));
    if (value.length > MOST_NUMBERS) throw new SafelightError('bad_filter', words.task.tooLong(name));
  }
}

/** A filter with its parameters as one line; empty if it is not in the catalogue. */
export function filterText(task, catalogue) {
  try {
    checkFilter(task, catalogue);
  } catch {
    return '';
  }
  return [task.filter, ...Object.entries(task.params).map(([name, value]) => `${name} ${value}`)].join(' ');
}

/** A photo's history as its file gives it, or a text that it is unknown if any step is not in the catalogue. */
export function historyText(text, catalogue) {
  const steps = text.split(/; | \[|\]/).filter(Boolean);
  const known = (step) => {
    const [filter, ...pairs] = step.split(' ');
    return filterText({ filter, params: Object.fromEntries(pairs.map((pair) => pair.split('=', 2))) }, catalogue) !== '';
  };
  return steps.every(known) ? text : words.card.unknownFilter;
}
