// The one dialog of the vault: a question, perhaps with fields, and two answers.

const $ = (id) => document.getElementById(id);
const ROOM = 16; // pixels kept free above the dialog

/**
 * Asks. `fields` are `{ name, label, type, value, autocomplete }`; `check(values)` gives what is wrong with them, or
 * nothing. `act(values)` is done before the dialog closes: what it throws is shown in it by `explain`. Gives what `act`
 * gives, or null if the user does not want to.
 */
export function ask({ title, text, yes, fields = [], check = () => '', act = (values) => values, explain }) {
  const dialog = $('dialog');
  $('dialog-title').textContent = title;
  $('dialog-text').textContent = text;
  $('dialog-yes').textContent = yes;
  $('dialog-error').textContent = '';
  const inputs = fields.map(field);
  $('dialog-fields').replaceChildren(...inputs.flatMap(({ nodes }) => nodes));
  // The frame may be much taller than the screen: the dialog opens where the user is.
  const near = document.activeElement?.getBoundingClientRect().top ?? 0;
  dialog.style.setProperty('--near', `${Math.max(ROOM, near - ROOM)}px`);
  dialog.showModal();
  return new Promise((resolve) => {
    const ended = new AbortController();
    const on = (target, event, act) => target.addEventListener(event, act, { signal: ended.signal });
    const end = (value) => {
      ended.abort();
      for (const { input } of inputs) input.value = ''; // passphrases do not stay in the page
      $('dialog-fields').replaceChildren();
      dialog.close();
      resolve(value);
    };
    const accept = async () => {
      const values = Object.fromEntries(inputs.map(({ name, value }) => [name, value()]));
      const wrong = check(values);
      if (wrong) return ($('dialog-error').textContent = wrong);
      $('dialog-yes').disabled = true;
      try {
        end(await act(values));
      } catch (error) {
        $('dialog-error').textContent = explain(error);
      } finally {
        $('dialog-yes').disabled = false;
      }
    };
    on($('dialog-yes'), 'click', accept);
    on($('dialog-no'), 'click', () => end(null));
    on(dialog, 'cancel', (event) => (event.preventDefault(), end(null)));
    on(dialog, 'keydown', (event) => event.key === 'Enter' && event.target.matches('input') && accept());
  });
}

function field({ name, label, type = 'text', value = '', autocomplete = 'off' }) {
  const id = `dialog-${name}`;
  const input = Object.assign(document.createElement('input'), { id, type, autocomplete });
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
