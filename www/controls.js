// The filter panel: a field for each parameter of the chosen filter, and what they say together.

const $ = (id) => document.getElementById(id);
let catalogue = [];

// How a parameter is asked for. Anything not listed is a line of text.
const fields = {
  radius: { type: 'number', min: 0, max: 1024, step: 1 },
  size: { placeholder: 'such as 3x5' },
  sigma: { type: 'number', min: 0.1, max: 300, step: 0.1 },
  divisor: { type: 'number', min: 1, max: 1048576, step: 1 },
  offset: { type: 'number', min: -255, max: 255, step: 1 },
  share: { type: 'number', min: 0, max: 100, step: 1 },
};

/** Fills the list of filters. `offered` are the names that the server offers, or null if it did not say. */
export function showFilters(filters, offered) {
  catalogue = filters;
  const select = $('filter');
  select.replaceChildren(
    ...filters.map(({ name }) => {
      const option = new Option(name, name);
      option.disabled = Boolean(offered && !offered.includes(name));
      return option;
    }),
  );
  const first = filters.find(({ name }) => !offered || offered.includes(name));
  if (first) select.value = first.name;
  select.disabled = false;
  select.addEventListener('change', showParameters);
  showParameters();
}

/** The chosen filter as options of Client.process. */
export function chosen() {
  const params = {};
  for (const input of $('parameters').querySelectorAll('[data-parameter]')) {
    const value = input.value.trim().replaceAll(/\s*\n\s*/g, ';');
    if (value) params[input.dataset.parameter] = value;
  }
  return {
    filter: $('filter').value,
    params,
    border: $('border').value,
    view: $('view').value,
    inputs: info()?.inputs ?? 1,
    second: $('second').files[0] ?? null,
  };
}

/** A filter with its parameters as one line. */
export function filterText({ filter, params }) {
  return [filter, ...Object.entries(params).map(([name, value]) => `${name} ${value}`)].join(' ');
}

function info() {
  return catalogue.find(({ name }) => name === $('filter').value);
}

function showParameters() {
  const { summary = '', inputs = 1, parameters = [] } = info() ?? {};
  $('filter-summary').textContent = summary;
  $('second-block').hidden = inputs < 2;
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
  if (preset != null) input.placeholder = `${preset} unless given`;
  const hint = Object.assign(document.createElement('p'), { className: 'hint', id: `${id}-help`, textContent: help });
  input.setAttribute('aria-describedby', hint.id);
  return [label, input, hint];
}
