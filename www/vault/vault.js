// The vault: takes photos, encrypts them, has the site carry ciphertext to the server and back, and decrypts the result. The job
// whose task the site has named decides how this is done.

import './lockdown.js'; // before everything else
import { usable } from '../client/build.js';
import { Safelight } from '../client/safelight.js';
import { SafelightError } from '../shared/errors.js';
import { listen } from './intake.js';
import { JOBS } from './jobs.js';
import { KeyRing } from './keyring.js';
import { takeColours } from './look.js';
import { Protection } from './protection.js';
import { Queue } from './queue.js';
import { watchRooms } from './rooms.js';
import { Site } from './site.js';
import { choose, explain, languages, words } from './words.js';

const $ = (id) => document.getElementById(id);
const MOST_ASKING = 200; // encrypted images from the site that wait for a click
const root = document.documentElement;

/** What the jobs may use: see job.js. */
const vault = { site: null, safelight: null, queue: null, keyring: null, protection: null, task: wanted, add, takeOther, fail };
const jobs = JOBS.map((Job) => new Job(vault));

function fail(error) {
  if (error.code !== 'cancelled') $('message').textContent = explain(error);
}

// ---- files

/** The site's task, without which no photos can be taken. */
function wanted() {
  if (!site.task) throw new SafelightError('no_site', words.errors.no_site);
  return site.task;
}

const jobOf = ({ task }) => jobs.find(({ tasks }) => tasks.includes(task));

async function take(files, where) {
  $('message').textContent = '';
  if (root.dataset.ready !== 'yes') return;
  // The visitor means the job that the page shows now; the site may soon name another one.
  const job = jobOf(wanted());
  const kinds = await Promise.all(files.map((file) => vault.safelight.kind(file)));
  await job.take(files.map((file, i) => ({ file, kind: kinds[i] })), where);
}

/** Takes a file that is not a photo: an encrypted image, or else a key file. */
async function takeOther(file, kind) {
  if (kind === 'image') openImage(file);
  else await vault.keyring.open(file);
}

const openImage = (file, options) => jobs.find(({ open }) => open).open(file, options);

/** An encrypted image from the site: the visitor is asked before a key is used on it. */
function offered(file) {
  if (!vault.queue || !site.task) return;
  if (vault.queue.asking >= MOST_ASKING) $('message').textContent = words.site.tooMany;
  else openImage(file, { asks: true });
}

/** Puts a card into the queue. */
function add(card, options) {
  card.addEventListener('progress', ({ detail }) => tellProgress(card, detail));
  vault.queue.add(card, options);
}

// ---- the site

/** Reports progress to the site, except while the key works on untrusted input. */
function tellProgress(card, { phase, done, total }) {
  if (card.encrypted || phase === 'decrypt') return;
  const { fraction, secondsLeft } = vault.queue.told;
  site.tell('progress', { phase, done, total, fraction, secondsLeft });
}

function followTask() {
  const { language, look, server } = site.task;
  const job = jobOf(site.task);
  choose([language, ...navigator.languages]);
  root.dataset.scheme = look.scheme ?? '';
  if (!takeColours(look)) site.tell('refused', { what: 'colours' });
  root.dataset.task = JSON.stringify(site.task);
  $('whose').textContent = words[job.whose](location.host, site.origin);
  for (const id of new Set(jobs.flatMap(({ blocks }) => blocks))) $(id).hidden = !job.blocks.includes(id);
  vault.keyring?.prefer(job.keyKind);
  for (const one of jobs) one.follow(one === job ? site.task : null);
  $('server-line').textContent = words.server(server.host, server.name);
}

function follow() {
  site.addEventListener('connected', () => {
    $('whose').textContent = words.whose(location.host, site.origin);
    begin().catch(fail);
  });
  site.addEventListener('task', followTask);
  site.addEventListener('open', ({ detail }) => offered(detail));
  for (const name of ['pause', 'resume', 'clear']) site.addEventListener(name, () => vault.queue?.[name]());
  site.addEventListener('cancel', () => (vault.queue?.cancelAll(), cancelOthers()));
  site.addEventListener('misbehaviour', ({ detail }) => ($('message').textContent = words.site[detail]));
  if (location.search || location.hash) $('message').textContent = words.site.addressData;
}

function cancelOthers() {
  for (const job of jobs) job.cancel();
}

/** Fits the frame to its content: cards of a fixed height, and nothing that depends on their content. */
function watchHeight() {
  const tell = () => site.tell('height', { pixels: Math.ceil(document.body.getBoundingClientRect().height) });
  new ResizeObserver(tell).observe(document.body);
  site.addEventListener('connected', tell);
}

// ---- the start

async function begin() {
  const safelight = await Safelight.open({ remember: 'protected', site: site.origin, ahead: true });
  const work = async (card, options) => {
    if (!(await protection.opened(card.keyKind))) return card.cancel();
    return card.run(options);
  };
  const queue = new Queue(work, safelight);
  const protection = new Protection(safelight, fail);
  const keyring = new KeyRing(safelight, queue, protection, fail);
  protection.mayLock = () => keyring.mayLock();
  keyring.others = {
    get running() {
      return jobs.some(({ running }) => running);
    },
    cancel: cancelOthers,
  };
  Object.assign(vault, { safelight, queue, keyring, protection });
  for (const job of jobs) job.begin();
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
    for (const keep of [vault.safelight.url, usable('remote')[0].url]) active.postMessage({ keep: String(keep) });
  } catch {
    // Without service workers, and in private windows, everything works except starting offline.
  }
}

choose(navigator.languages);
const site = (vault.site = new Site(jobs.flatMap(({ tasks }) => tasks)));
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
