// A picture, and what the server says about it.

import { percent, words } from '../../words.js';

const SHOWN = 3; // likeliest names

/**
 * A list item for one photo. `clear` is its middle, `scrambled` what the server got, `found` the names with their
 * probabilities, likeliest first; a probability of null means unknown.
 */
export function verdictItem(title, { clear, scrambled }, found) {
  const item = document.createElement('li');
  item.className = 'verdict';
  item.dataset.testid = 'verdict';
  const pictures = [
    [clear, title],
    [scrambled, words.recognise.scrambledOf(title)],
  ].map(([blob, alt]) => {
    const image = Object.assign(document.createElement('img'), { alt, width: 96, height: 96, src: URL.createObjectURL(blob) });
    image.addEventListener('load', () => URL.revokeObjectURL(image.src), { once: true });
    return image;
  });
  const lines = found.slice(0, SHOWN).map(({ name, probability }, i) => {
    const line = document.createElement(i === 0 ? 'strong' : 'span');
    line.textContent = probability === null ? name : words.recognise.likely(name, percent(probability, 1) || '0 %');
    return line;
  });
  const text = Object.assign(document.createElement('p'), { className: 'room' });
  text.append(...lines);
  item.append(...pictures, text);
  return item;
}

/** The names by descending probability; the server's choice always comes first. */
export function ranked({ label, probabilities }, labels, names) {
  const all = labels.map((one, i) => ({ name: names.get(one), label: one, probability: probabilities?.[i] ?? null }));
  const [first, others] = [all.filter((one) => one.label === label), all.filter((one) => one.label !== label)];
  return probabilities ? [...first, ...others.sort((a, b) => b.probability - a.probability)] : first;
}
