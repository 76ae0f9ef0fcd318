// The vault: takes photos, encrypts them, has the site carry ciphertext to the server and back, and decrypts the result.

import './lockdown.js'; // before everything else
import { Safelight } from '../client/safelight.js';
import { SafelightError } from '../shared/errors.js';
import { listen } from './intake.js';
import { Answer } from './jobs/ask/card.js';
import { Networks } from './jobs/ask/networks.js';
import { FilterCard } from './jobs/filter/card.js';
import { filterText } from './jobs/filter/catalogue.js';
import { Recognise } from './jobs/recognise/panel.js';
import { KeyRing } from './keyring.js';
import { takeColours } from './look.js';
import { Protection } from './protection.js';
import { Queue } from './queue.js';
import { watchRooms } from './rooms.js';
import { saveAs } from './save.js';
import { Site } from './site.js';
import { choose, explain, languages, words } from './words.js';

const $ = (id) => document.getElementById(id);
const MOST_ASKING = 200; // encrypted images from the site that wait for a click
const root = document.documentElement;
let safelight;
let queue;
let keyring;
let protection;
let recognise;
let networks;

function fail(error) {
  if (error.code !== 'cancelled') $('message').textContent = explain(error);
}

// ---- photos

const needsTwo = () => new SafelightError('needs_two', words.errors.needs_two);

/** The site's task, without which no photos can be taken. */
function wanted() {
  if (!site.task) throw new SafelightError('no_site', words.errors.no_site);
  return site.task;
}

async function take(files, where) {
  $('message').textContent = '';
  if (root.dataset.ready !== 'yes') return;
  const task = wanted();
  const kinds = await Promise.all(files.map((file) => safelight.kind(file)));
  const photos = files.filter((_, i) => kinds[i] === 'photo');
  if (task.task === 'classify') {
    for (const [i, file] of files.entries()) if (/_key$/.test(kinds[i])) await keyring.open(file);
    return recognise.take(photos, where);
  }
  const asks = task.task === 'classify-encrypted';
  const two = !asks && inputs(task) > 1;
  let second = two ? ($('second').files[0] ?? null) : null;
  if (two && !second && photos.length === 2) second = photos.pop(); // two photos dropped at once: a pair
  if (two && !second && photos.length > 0) throw needsTwo();
  for (const [i, file] of files.entries()) {
    if (kinds[i] === 'photo' && asks) addAnswer(file);
    else if (kinds[i] === 'photo' && photos.includes(file)) add(file, false, { second });
    else if (kinds[i] === 'image') add(file, true, {});
    else if (kinds[i] !== 'photo') await keyring.open(file);
  }
}

function add(file, encrypted, options) {
  const card = new FilterCard({ safelight, site, keyring }, file, { ...options, encrypted, task: wanted() });
  card.addEventListener('save', async ({ detail: { blob, name } }) => {
    try {
      saveAs(await blob(), name);
    } catch (error) {
      fail(error);
    }
  });
  card.addEventListener('handed', () => site.tell('done', card.carried));
  card.addEventListener('progress', ({ detail }) => tellProgress(card, detail));
  card.addEventListener('again', () => {
    const task = wanted();
    const two = inputs(task) > 1;
    const second = two ? ($('second').files[0] ?? options.second) : null;
    if (!encrypted && two && !second) return fail(needsTwo());
    card.wait(task);
    queue.enqueue(card, { second });
  });
  queue.add(card, options);
}

function addAnswer(file) {
  const answer = new Answer(file, networks);
  answer.addEventListener('progress', ({ detail }) => tellProgress(answer, detail));
  answer.addEventListener('failed', ({ detail }) => site.tell('failed', { code: detail }));
  answer.addEventListener('again', () => (answer.wait(), queue.enqueue(answer, {})));
  queue.add(answer, {});
}

/** An encrypted image from the site: the visitor is asked before a key is used on it. */
function offered(file) {
  if (!queue || !site.task) return;
  if (queue.asking >= MOST_ASKING) $('message').textContent = words.site.tooMany;
  else add(file, true, { asks: true });
}

const inputs = ({ filter }) => safelight.filters.find(({ name }) => name === filter)?.inputs ?? 1;

// ---- the site

/** Reports progress to the site, except while the key works on untrusted input. */
function tellProgress(card, { phase, done, total }) {
  if (card.encrypted || phase === 'decrypt') return;
  const { fraction, secondsLeft } = queue.told;
  site.tell('progress', { phase, done, total, fraction, secondsLeft });
}

/**
 * Reports a photo that ended before the site had everything it gets. What happens after that is between the vault and the
 * visitor: a site that could find out whether a forged ciphertext decrypts would learn what is in it.
 */
function tellEnd(card) {
  const { encrypted, handed, failure } = card;
  if (encrypted || handed || card instanceof Answer) return; // an answer reports by itself what the site may know
  site.tell('failed', { code: failure.code });
}

function followTask() {
  const { language, look, task, server } = site.task;
  choose([language, ...navigator.languages]);
  root.dataset.scheme = look.scheme ?? '';
  if (!takeColours(look)) site.tell('refused', { what: 'colours' });
  root.dataset.task = JSON.stringify(site.task);
  const [classify, asks] = [task === 'classify', task === 'classify-encrypted'];
  $('second-block').hidden = !safelight || asks || inputs(site.task) < 2;
  if (asks) $('task').textContent = words.network.task(server.host);
  else if (task === 'filter') $('task').textContent = whatIsAsked();
  else $(classify ? 'classify-task' : 'task').textContent = classify ? words.recognise.task(server.host) : words.task[task];
  $('whose').textContent = words[classify ? 'whoseScrambled' : 'whose'](location.host, site.origin);
  $('drop').hidden = classify;
  $('protected').hidden = classify || asks;
  $('recognise').hidden = !classify;
  for (const id of ['labels', 'network-protected']) $(id).hidden = !asks;
  keyring?.prefer(classify ? 'etc' : asks ? 'ckks' : 'paillier');
  networks?.follow(site.task).catch(fail);
  $('server-line').textContent = words.server(server.host, server.name);
}

/** Which filter the server is asked for; nothing before the vault knows which filters there are. */
function whatIsAsked() {
  const { filter, server } = site.task;
  if (!safelight || !filter) return '';
  const text = filterText(site.task, safelight.filters);
  return text ? words.task.filter(text, server.host) : words.task.unknown(server.host);
}

function follow() {
  site.addEventListener('connected', () => {
    $('whose').textContent = words.whose(location.host, site.origin);
    begin().catch(fail);
  });
  site.addEventListener('task', followTask);
  site.addEventListener('open', ({ detail }) => offered(detail));
  for (const name of ['pause', 'resume', 'clear']) site.addEventListener(name, () => queue?.[name]());
  site.addEventListener('cancel', () => (queue?.cancelAll(), recognise?.cancel()));
  site.addEventListener('misbehaviour', ({ detail }) => ($('message').textContent = words.site[detail]));
  if (location.search || location.hash) $('message').textContent = words.site.addressData;
}

/** Fits the frame to its content: cards of a fixed height, and nothing that depends on what they show. */
function watchHeight() {
  const tell = () => site.tell('height', { pixels: Math.ceil(document.body.getBoundingClientRect().height) });
  new ResizeObserver(tell).observe(document.body);
  site.addEventListener('connected', tell);
}

// ---- the start

async function begin() {
  safelight = await Safelight.open({ remember: 'protected', site: site.origin, ahead: true });
  networks = new Networks(safelight, site);
  const work = async (card, options) => {
    if (!(await protection.opened(card.keyKind))) return card.cancel();
    return card.run(options);
  };
  queue = new Queue(work, safelight);
  protection = new Protection(safelight, fail);
  keyring = new KeyRing(safelight, queue, protection, fail);
  protection.mayLock = () => keyring.mayLock();
  const hooks = {
    onUsed: (key) => keyring.relied(key),
    onBusy: () => keyring.show(),
    opened: () => protection.opened('etc'),
    fail,
  };
  recognise = new Recognise(safelight, site, hooks);
  keyring.others = recognise;
  queue.addEventListener('end', ({ detail }) => tellEnd(detail));
  languages.addEventListener('change', () => (keyring.show(), protection.show(), queue.show()));
  if (site.task) followTask();
  $('arithmetic').textContent = words.arithmetic(safelight.version, safelight.build);
  for (const id of ['photos', 'folder-button', 'sample']) $(id).disabled = false;
  root.dataset.ready = 'yes';
  site.tell('ready', { version: safelight.version, filters: safelight.filters, build: safelight.build });
  keepForOffline();
}

/** Lets the next start work offline: the service worker caches the vault's own files and the build in use. */
async function keepForOffline() {
  try {
    const { active } = await navigator.serviceWorker.register(new URL('../sw.js', import.meta.url)).then(
      () => navigator.serviceWorker.ready,
    );
    active.postMessage({ keep: safelight.url });
  } catch {
    // Without service workers, and in private windows, everything works except starting offline.
  }
}

choose(navigator.languages);
const site = new Site();
$('whose').textContent = words.alone(location.host);
follow();
watchHeight();
watchRooms();
listen(take, fail);
$('sample').addEventListener('click', async () => {
  try {
    const answer = await fetch(new URL('sample.jpg', import.meta.url));
    if (!answer.ok) throw new SafelightError('unreachable', 'the sample photo could not be loaded');
    await take([new File([await answer.blob()], 'sample.jpg')]);
  } catch (error) {
    fail(error);
  }
});
root.classList.remove('starting');
