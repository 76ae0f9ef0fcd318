// The demo page: a site that embeds <safe-light> and lets the visitor choose the filter. It never sees a photo.

import './element/safe-light.js';
import { showFilters } from './controls.js';
import { choose, language, words } from './words.js';

const $ = (id) => document.getElementById(id);
const element = $('safelight');
const MOST_EVENTS = 12;

/** Adds a line to the list of what this page gets to know, newest first. */
function note(text) {
  const item = Object.assign(document.createElement('li'), { textContent: text });
  $('events').prepend(item);
  while ($('events').children.length > MOST_EVENTS) $('events').lastChild.remove();
}

const bytes = (count) => `${(count / 1e6).toLocaleString(language, { maximumFractionDigits: 2 })} MB`;

const percent = (share) => share?.toLocaleString(language, { style: 'percent', maximumFractionDigits: 1 }) ?? '';

let phase = '';
element.addEventListener('progress', ({ detail }) => {
  if (detail.phase === phase) return;
  if (phase === 'decode') note(words.sees.phase.decode); // a photo has been read when the next phase begins
  phase = detail.phase;
  if (phase !== 'decode') note(words.sees.phase[phase] ?? phase);
});
element.addEventListener('done', ({ detail: { upload, reply, width, height } }) => {
  phase = '';
  note(words.sees.upload(bytes(upload.size)));
  if (reply) note(words.sees.reply(bytes(reply.size), width, height));
});
element.addEventListener('trained', ({ detail: { labels } }) => {
  phase = '';
  note(words.sees.trained(labels.length));
});
element.addEventListener('classified', ({ detail: { label, probabilities } }) => {
  phase = '';
  note(words.sees.classified(label, percent(probabilities?.[element.model.labels.indexOf(label)])));
});
element.addEventListener('answered', ({ detail: { upload, reply } }) => {
  note(words.sees.answered(bytes(upload.size), bytes(reply.size)));
});
element.addEventListener('error', ({ detail: { code } }) => {
  phase = '';
  note(words.sees.failed(code));
});

/** Shows the controls of the chosen task and passes their values to <safe-light>. */
function task() {
  const job = $('task').value;
  for (const [id, its] of [['filtering', 'filter'], ['learning', 'classify'], ['asking', 'classify-encrypted']]) $(id).hidden = job !== its;
  $('steps').dataset.words = { classify: 'steps.learning', 'classify-encrypted': 'steps.asking' }[job] ?? 'steps.list';
  $('sees-text').dataset.word = job === 'classify' ? 'sees.learning' : 'sees.text';
  choose([language]);
  element.setAttribute('job', job);
  element.setAttribute('network', $('network').value);
  element.setAttribute('learner', $('learner').value);
}

function speak(tags) {
  choose(tags);
  $('language').value = language;
  element.lang = language;
  if (element.vault) offer();
}

function offer() {
  const networks = (element.server.info?.models ?? []).filter(({ learner }) => learner === 'network');
  const chosen = $('network').value;
  $('network').replaceChildren(...networks.map(({ id }) => new Option(id, id)));
  if (chosen) $('network').value = chosen;
  const choice = $('task').querySelector('[value="classify-encrypted"]');
  choice.hidden = choice.disabled = networks.length === 0;
  showFilters(element, element.vault.filters, element.server.info?.filters?.map(({ name }) => name));
}

async function start() {
  const server = new URL(new URLSearchParams(location.search).get('server') ?? '/', location.href);
  element.setAttribute('server', server.href);
  // The vault comes from the server that delivers this page, even if another one filters.
  const answer = await fetch('v1').then((reply) => reply.json(), () => ({}));
  if (!answer.vault) return ($('message').textContent = words.noVault);
  element.setAttribute('vault', answer.vault);
  await element.ready;
  offer();
  document.documentElement.dataset.ready = 'yes';
}

for (const id of ['task', 'learner', 'network']) $(id).addEventListener('change', task);
$('language').addEventListener('change', () => speak([$('language').value]));
speak(navigator.languages);
start().catch((error) => ($('message').textContent = `${error.message} [${error.code ?? 'internal'}]`));
