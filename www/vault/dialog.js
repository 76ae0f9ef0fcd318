// The vault's only dialog: a question, optional fields, and two buttons.

import { SOON, stood, watch } from './meant.js';
import { words } from './words.js';

const $ = (id) => document.getElementById(id);
const ROOM = 16; // pixels kept free above the dialog
const PATIENCE = 200; // ms before it shows that it is working

let last = Promise.resolve(); // settles when the previous question is answered

/**
 * Moves the keyboard focus to an element, if the focus is in this frame. Otherwise, the surrounding site would lose the focus
 * and so learn when something here has ended.
 */
export function keepFocus(element) {
  if (document.hasFocus()) element?.focus({ preventScroll: true });
}

/**
 * Asks as soon as the previous question is answered. `fields` are `{ name, label, type, value }`;
 * `check(values)` returns what is wrong with them, or '', and `advise(values)` what could be better. `act(values, signal)`
 * runs before the dialog closes: its errors are shown in the dialog by `explain`, and the signal is aborted if the user
 * cancels. Returns the result of `act`, or null if the user cancels.
 */
export function ask(question) {
  const answer = last.then(() => asked(question));
  last = answer.catch(() => {});
  return answer;
}

function asked({ title, text, yes, fields = [], check = () => '', advise = () => '', act = (values) => values, explain }) {
  const dialog = $('dialog');
  $('dialog-title').textContent = title;
  $('dialog-text').textContent = text;
  $('dialog-yes').textContent = yes;
  $('dialog-error').textContent = '';
  $('dialog-status').textContent = '';
  const inputs = fields.map(field);
  $('dialog-fields').replaceChildren(...inputs.flatMap(({ nodes }) => nodes));
  // The frame may be much taller than the screen: the dialog opens near the focused element.
  const near = document.activeElement?.getBoundingClientRect().top ?? 0;
  dialog.style.setProperty('--near', `${Math.max(ROOM, near - ROOM)}px`);
  dialog.showModal();
  watch(dialog);
  return new Promise((resolve) => {
    const ended = new AbortController();
    const { signal } = ended;
    const on = (target, event, act) => target.addEventListener(event, act, { signal });
    const end = (value) => {
      if (signal.aborted) return; // the user did not want to wait
      ended.abort();
      for (const { input } of inputs) input.value = ''; // passphrases do not stay in the page
      $('dialog-fields').replaceChildren();
      dialog.close();
      resolve(value);
    };
    const values = () => Object.fromEntries(inputs.map(({ name, value }) => [name, value()]));
    const accept = async () => {
      const wrong = check(values());
      $('dialog-error').textContent = wrong;
      if (wrong || $('dialog-yes').disabled) return;
      $('dialog-yes').disabled = true;
      const late = setTimeout(() => ($('dialog-status').textContent = words.dialog.working), PATIENCE);
      signal.addEventListener('abort', () => (clearTimeout(late), ($('dialog-yes').disabled = false)));
      try {
        end(await act(values(), signal));
      } catch (error) {
        if (signal.aborted) return;
        $('dialog-error').textContent = explain(error);
        if (inputs[0]) keepFocus(inputs[0].input);
      } finally {
        clearTimeout(late);
        if (!signal.aborted) [$('dialog-yes').disabled, $('dialog-status').textContent] = [false, ''];
      }
    };
    // The site may move the frame, so that the second half of a double click would be the answer.
    on($('dialog-yes'), 'click', (event) => stood(dialog, event) >= SOON && accept());
    // The site may take the keyboard focus for one letter and give it back. The visitor would not notice the missing letter.
    on(window, 'blur', () => $('dialog-yes').disabled || interrupt(inputs));
    on($('dialog-no'), 'click', () => end(null));
    on($('dialog-fields'), 'input', () => {
      $('dialog-error').textContent = '';
      $('dialog-status').textContent = advise(values());
    });
    on(dialog, 'cancel', (event) => (event.preventDefault(), end(null)));
    on(dialog, 'keydown', (event) => event.key === 'Enter' && event.target.matches('input') && accept());
  });
}

/** Discards a partly typed passphrase, and takes the focus from its field until the visitor returns to it. */
function interrupt(inputs) {
  const secret = inputs.filter(({ input }) => input.type === 'password');
  if (!secret.some(({ input }) => input.value || input === document.activeElement)) return;
  for (const { input } of secret) {
    input.value = '';
    input.blur();
  }
  $('dialog-status').textContent = '';
  $('dialog-error').textContent = words.dialog.interrupted;
}

/** No field has autocompletion: a passphrase stored by the browser would lie in the very profile that it protects. */
function field({ name, label, type = 'text', value = '' }) {
  const id = `dialog-${name}`;
  const input = Object.assign(document.createElement('input'), { id, type, autocomplete: 'off' });
  input.dataset.testid = id;
  const text = Object.assign(document.createElement('label'), { htmlFor: id, textContent: label });
  if (type === 'checkbox') {
    const line = Object.assign(document.createElement('p'), { className: 'check' });
    line.append(input, text);
    return { name, input, nodes: [line], value: () => input.checked };
  }
  input.value = value;
  return { name, input, nodes: [text, input], value: () => input.value };
}
