// The filter panel: a field for each parameter of the chosen filter. Their values become attributes of <safe-light>.

import { words } from './words.js';

const $ = (id) => document.getElementById(id);
let catalogue = [];

// The input for each parameter. Parameters not listed here get a text field.
const fields = {
  radius: { type: 'number', min: 0, max: 1024, step: 1 },
  sigma: { type: 'number', min: 0.1, max: 300, step: 0.1 },
  divisor: { type: 'number', min: 1, max: 1048576, step: 1 },
  offset: { type: 'number', min: -255, max: 255, step: 1 },
  share: { type: 'number', min: 0, max: 100, step: 1 },
};

/**
 * Shows the list of filters and keeps `element` in step with the selection. `offered` lists the filters that the server
 * offers, or is null if the server did not say.
 */
export function showFilters(element, filters, offered) {
  catalogue = filters;
  const kept = $('filter').disabled ? null : $('filter').value;
  $('filter').replaceChildren(
    ...filters.map(({ name }) => {
      const option = new Option(words.filters?.[name]?.[0] ?? name, name);
      option.disabled = Boolean(offered && !offered.includes(name));
      return option;
    }),
  );
  $('filter').value = kept ?? filters.find(({ name }) => !offered || offered.includes(name))?.name ?? '';
  $('filter').disabled = false;
  $('filter').onchange = () => (showParameters(), apply(element));
  for (const id of ['border', 'view']) $(id).onchange = () => apply(element);
  $('parameters').oninput = () => apply(element);
  showParameters();
  apply(element);
}

function apply(element) {
  const wanted = { filter: $('filter').value, border: $('border').value, view: $('view').value };
  const names = new Set(catalogue.flatMap(({ parameters }) => parameters.map(({ name }) => name)));
  for (const name of names) {
    const input = $(`parameter-${name}`);
    wanted[name] = input?.value.trim().replaceAll(/\s*\n\s*/g, ';') || null;
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
}

function showParameters() {
  const { name, summary = '', parameters = [] } = catalogue.find(({ name }) => name === $('filter').value) ?? {};
  $('filter-summary').textContent = words.filters?.[name]?.[1] ?? summary;
  $('parameters').replaceChildren(...parameters.flatMap(field));
}

function field({ name, help, default: preset }) {
  const id = `parameter-${name}`;
  const label = Object.assign(document.createElement('label'), { htmlFor: id, textContent: name });
  const input = document.createElement(name === 'weights' ? 'textarea' : 'input');
  if (name === 'weights') Object.assign(input, { rows: 4, spellcheck: false });
  else Object.assign(input, fields[name], { autocomplete: 'off' });
  input.id = id;
  input.dataset.parameter = name;
  input.dataset.testid = id;
  input.placeholder = name === 'size' ? words.filter.size : preset == null ? '' : words.filter.preset(preset);
  const text = words.parameters?.[name] ?? help;
  const hint = Object.assign(document.createElement('p'), { className: 'hint', id: `${id}-help`, textContent: text });
  input.setAttribute('aria-describedby', hint.id);
  return [label, input, hint];
}
