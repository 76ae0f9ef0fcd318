// The page: takes photos in by drop, choice and paste, works on them one after the other, and looks after the key.

import { Card } from './card.js';
import { Client } from './client.js';
import { chosen, showFilters } from './controls.js';
import { SafelightError } from './errors.js';
import * as words from './words.js';

const $ = (id) => document.getElementById(id);
const client = new Client(new URL(new URLSearchParams(location.search).get('server') ?? '/', location.href));
const queue = []; // [card, options]
let running = null; // the card under way
let making = null; // the AbortController of a key being made
let atStake = { encrypted: false, keySaved: false }; // what would be lost with the present key

function fail(error) {
  if (error.code !== 'cancelled') $('message').textContent = words.explain(error);
}

/** Runs a handler and shows what goes wrong in it. */
const safely =
  (work) =>
  async (...args) => {
    $('message').textContent = '';
    try {
      await work(...args);
    } catch (error) {
      fail(error);
    }
  };

// ---- photos

const needsTwo = () =>
  new SafelightError(
    'bad_argument',
    'this filter needs two photos; choose the second one in the filter panel, or drop two at once',
  );

async function take(files) {
  const { inputs, second, ...options } = chosen();
  const kinds = await Promise.all(files.map((file) => client.kind(file)));
  const photos = files.filter((_, i) => kinds[i] === 'photo');
  let partner = inputs > 1 ? second : null;
  if (inputs > 1 && !partner && photos.length === 2) partner = photos.pop(); // two photos at once: one with the other
  if (inputs > 1 && !partner && photos.length > 0) throw needsTwo();
  for (const [i, file] of files.entries()) {
    if (kinds[i] === 'photo' && photos.includes(file)) add(new Card(file, false), { ...options, second: partner });
    else if (kinds[i] === 'image') add(new Card(file, true), options);
    else if (kinds[i] === 'secret_key') await openKey(file);
    else if (kinds[i] === 'public_key')
      throw new SafelightError('wrong_kind', 'this is a public key; only its secret key opens pictures');
  }
}

function add(card, options) {
  $('list').prepend(card.element);
  card.addEventListener('save', ({ detail }) => {
    if (detail.name.endsWith('.slt')) atStake.encrypted = true;
    save(detail.blob, detail.name);
  });
  card.addEventListener('remove', () => {
    card.element.remove();
    $('photos').focus();
  });
  card.addEventListener(
    'again',
    safely(() => {
      const { inputs, second, ...now } = chosen();
      const partner = inputs > 1 ? (second ?? options.second) : null;
      if (!card.encrypted && inputs > 1 && !partner) throw needsTwo();
      card.wait();
      enqueue(card, { ...now, second: partner });
    }),
  );
  enqueue(card, options);
}

function enqueue(card, options) {
  queue.push([card, options]);
  if (!running) work();
}

async function work() {
  while (queue.length > 0) {
    const [card, options] = queue.shift();
    if (card.signal.aborted) continue;
    running = card;
    showKey();
    await card.run(client, { ...options, bits: Number($('bits').value) });
    running = null;
  }
  showKey();
}

// ---- the key

const mayLose = () => !client.key || !atStake.encrypted || atStake.keySaved || confirm(words.key.lose);

function showKey() {
  const { key } = client;
  if (!making) $('key-state').textContent = key ? words.key.ready(key.bits) : words.key.none;
  $('key-print').textContent = key ? `Fingerprint ${key.fingerprint}` : '';
  $('new-key').disabled = Boolean(running) || Boolean(making);
  $('open-key').disabled = Boolean(running) || Boolean(making);
  $('forget-key').disabled = !key && !making;
  $('save-key').disabled = !key;
}

async function newKey() {
  if (!mayLose()) return;
  const bits = Number($('bits').value);
  making = new AbortController();
  showKey();
  try {
    $('key-state').textContent = words.key.making(bits);
    const onTried = (tried) => ($('key-print').textContent = words.key.tried(tried));
    await client.newKey(bits, { signal: making.signal, onTried });
  } finally {
    making = null;
    showKey();
  }
}

async function openKey(file) {
  if (running || making)
    throw new SafelightError('bad_argument', 'wait until the work is done before you change the key');
  if (!mayLose()) return;
  await client.openKey(file);
  atStake.keySaved = true; // it came from a file
}

async function forgetKey() {
  if (!mayLose()) return;
  making?.abort();
  for (const [card] of queue) card.cancel();
  running?.cancel();
  await client.forgetKey();
}

async function saveKey() {
  save(await client.saveKey(), `safelight-${client.key.fingerprint.replaceAll(/[^0-9a-z]/gi, '').slice(0, 8)}.key`);
  atStake.keySaved = true;
}

client.addEventListener('key', () => {
  atStake = { encrypted: false, keySaved: false };
  showKey();
});

// ---- the ways in and out

function save(blob, name) {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** All files of a drop, also those in dropped folders. */
async function dropped({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...files];
  const walk = async (entry) => {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader();
    const found = [];
    for (let some; (some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length > 0;)
      found.push(...some);
    return (await Promise.all(found.map(walk))).flat();
  };
  return (await Promise.all(entries.map(walk))).flat();
}

const ready = () => document.documentElement.dataset.ready === 'yes';

function wire() {
  const over = (on) => $('drop').classList.toggle('over', on);
  addEventListener('dragover', (event) => (event.preventDefault(), over(true)));
  addEventListener('dragleave', (event) => event.relatedTarget === null && over(false));
  addEventListener(
    'drop',
    safely(async (event) => {
      event.preventDefault();
      over(false);
      if (!ready()) return;
      await take(await dropped(event.dataTransfer));
    }),
  );
  addEventListener(
    'paste',
    safely(async ({ clipboardData }) => {
      if (ready() && clipboardData?.files.length) await take([...clipboardData.files]);
    }),
  );
  const chosenFiles = (input, use) =>
    input.addEventListener(
      'change',
      safely(async () => {
        const files = [...input.files];
        input.value = ''; // so that the same file can be chosen again
        if (files.length > 0) await use(files);
      }),
    );
  chosenFiles($('photos'), take);
  chosenFiles($('open-key'), ([file]) => openKey(file));
  $('sample').addEventListener(
    'click',
    safely(async () => {
      const answer = await fetch('sample.jpg');
      if (!answer.ok) throw new SafelightError('unreachable', 'the sample photo could not be fetched');
      await take([new File([await answer.blob()], 'sample.jpg')]);
    }),
  );
  $('new-key').addEventListener('click', safely(newKey));
  $('forget-key').addEventListener('click', safely(forgetKey));
  $('save-key').addEventListener('click', safely(saveKey));
}

async function start() {
  await client.start();
  const { info, host } = client.server;
  showFilters(
    client.filters,
    info?.filters?.map(({ name }) => name),
  );
  $('server-line').textContent = info ? `Server: ${host}, ${info.name} ${info.version}. ` : `Server: ${host}. `;
  $('server-line').append(`This page: Safelight ${client.version}. `);
  $('arithmetic').textContent = words.arithmetic(client.build);
  $('photos').disabled = false;
  $('sample').disabled = false;
  showKey();
  document.documentElement.dataset.ready = 'yes';
}

wire();
safely(start)();
