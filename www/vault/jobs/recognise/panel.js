// Users name photos, the server learns from the scrambled pictures and says what others show.
//
// Scrambling is obfuscation, not encryption. The server can learn only from pictures under one fixed key, and such pictures
// give each other away: the page says so before anything is sent. Names never leave the vault; the server gets numbers.

import { cancelled, checkSignal, SafelightError } from '../../../shared/errors.js';
import { filled } from '../../save.js';
import { languages, percent, words } from '../../words.js';
import { Person } from './person.js';
import { ranked, verdictItem } from './verdict.js';

const $ = (id) => document.getElementById(id);

// All pictures have the same size. Faces were recognised from 96 x 96 pixels as well as from more, and these give 144 blocks,
// too many to be reassembled by trial.
const PICTURE = { square: 96, form: 'grey', block: 8, fixedKey: true, type: 'image/png' };
const FEWEST = 2; // names, and pictures per name

export class Panel {
  #safelight;
  #site;
  #vault;
  #people = [];
  #model = null; // { id, labels, key, names }: what the server learned, and the key of its pictures
  #work = null; // the AbortController of the current work
  #state = () => ''; // the status text, in the current language

  constructor(vault) {
    this.#safelight = vault.safelight;
    this.#site = vault.site;
    this.#vault = vault;
    const on = (id, event, work) => $(id).addEventListener(event, () => this.#safely(work));
    on('add-name', 'click', () => this.#addPerson());
    $('new-name').addEventListener('keydown', ({ key }) => key === 'Enter' && this.#safely(() => this.#addPerson()));
    on('learn', 'click', () => this.#run((signal) => this.#learn(signal)));
    on('unlearn', 'click', () => this.#forget());
    $('learn-cancel').addEventListener('click', () => this.#work?.abort());
    $('unknown').addEventListener('change', () => {
      const files = [...$('unknown').files];
      $('unknown').value = '';
      this.#safely(() => this.take(files, $('unknown')));
    });
    this.#safelight.addEventListener('keys', () => this.show());
    languages.addEventListener('change', () => {
      for (const person of this.#people) person.show();
      this.show();
    });
    this.show();
  }

  get running() {
    return this.#work !== null;
  }

  cancel() {
    this.#work?.abort();
  }

  /** Takes photos that were dropped onto `target`, chosen or pasted: of that person, or else to be recognised. */
  async take(photos, target) {
    if (photos.length === 0) return;
    const person = this.#people.find(({ element }) => target instanceof Node && element.contains(target));
    if (!person && !this.#model) throw new SafelightError('not_learned', words.errors.not_learned);
    await this.#run((signal) => (person ? this.#enrol(person, photos, signal) : this.#recognise(photos, signal)));
  }

  async #safely(work) {
    $('message').textContent = '';
    try {
      await work();
    } catch (error) {
      this.#vault.fail(error);
    }
  }

  /** Runs one piece of work at a time. */
  async #run(work) {
    if (this.#work) throw new SafelightError('key_busy', words.errors.still_busy);
    this.#work = new AbortController();
    this.#changed();
    try {
      await work(this.#work.signal);
    } catch (error) {
      this.#say(() => (error.code === 'cancelled' ? words.card.cancelled : words.card.failed));
      throw error;
    } finally {
      this.#work = null;
      this.#changed();
    }
  }

  #changed() {
    this.show();
    this.#vault.keyring.show();
  }

  #addPerson() {
    const name = $('new-name').value.trim();
    if (!name) return $('new-name').focus();
    let person = this.#people.find((other) => other.name === name);
    if (!person) {
      person = new Person(name);
      person.addEventListener('files', ({ detail }) => this.#safely(() => this.take(detail, person.element)));
      person.addEventListener('change', () => this.show());
      person.addEventListener('remove', () => {
        this.#people = this.#people.filter((other) => other !== person);
        person.element.remove();
        $('new-name').focus();
        this.show();
      });
      this.#people.push(person);
      $('people').append(person.element);
    }
    $('new-name').value = '';
    this.show();
    person.focus();
  }

  async #enrol(person, photos, signal) {
    for (const [i, file] of photos.entries()) {
      this.#say(() => words.recognise.scrambling(i + 1, photos.length), i / photos.length);
      person.put(await this.#scramble(file, signal));
    }
    this.#say(() => words.recognise.enrolled(person.name, person.pictures.length));
  }

  async #scramble(file, signal) {
    if (!(await this.#vault.protection.opened('etc'))) throw cancelled();
    checkSignal(signal);
    if (!this.#safelight.etcKey) await this.#safelight.newEtcKey({ signal });
    const { fingerprint } = this.#safelight.etcKey;
    const { clear, file: scrambled } = await this.#safelight.scramble(file, { ...PICTURE, signal });
    this.#vault.keyring.relied(fingerprint);
    return { file, clear, scrambled, key: fingerprint };
  }

  async #learn(signal) {
    const key = this.#safelight.etcKey.fingerprint;
    const pictures = [];
    const names = new Map();
    for (const [i, person] of this.#people.entries()) {
      const label = String(i + 1);
      names.set(label, person.name);
      for (const picture of person.pictures) {
        // The user may have switched to another key.
        if (picture.key !== key) person.put(await this.#scramble(picture.file, signal));
      }
      for (const { scrambled } of person.pictures) pictures.push({ label, file: scrambled });
    }
    const onProgress = ({ phase, done, total }) => {
      const how = phase === 'upload' ? percent(done, total) : '';
      this.#say(() => [words.recognise.doing[phase], how].filter(Boolean).join(', '), total > 0 ? done / total : null);
    };
    onProgress({ phase: 'upload', done: 0, total: 0 });
    const model = await this.#site.train(pictures, { signal, onProgress });
    this.#letGo();
    this.#model = { ...model, key, names };
    $('verdicts').replaceChildren();
    this.#say(() => words.recognise.learned(names.size, pictures.length));
  }

  async #recognise(photos, signal) {
    const { key, labels, names } = this.#model;
    if (key !== this.#safelight.etcKey?.fingerprint) throw new SafelightError('foreign_key', words.errors.other_key);
    for (const [i, file] of photos.entries()) {
      this.#say(() => words.recognise.asking(i + 1, photos.length), i / photos.length);
      const picture = await this.#scramble(file, signal);
      const found = ranked(await this.#site.classify(this.#model, picture.scrambled, { signal }), labels, names);
      $('verdicts').prepend(verdictItem(file.name || words.card.pasted, picture, found));
      const [{ name, probability }] = found;
      this.#say(() => words.recognise.said(file.name || words.card.pasted, name, probability === null ? '' : percent(probability, 1)));
    }
  }

  /** Has the server forget the model, if there is one. */
  #letGo() {
    if (this.#model) this.#site.forget(`v1/models/${this.#model.id}`);
    this.#model = null;
  }

  #forget() {
    this.#letGo();
    $('verdicts').replaceChildren();
    this.#say(() => words.recognise.forgotten);
    this.show();
  }

  /** Shows a status text and the progress: `part` is null if unknown, undefined if there is none. */
  #say(text, part = undefined) {
    this.#state = text;
    filled($('learn-state'), text());
    $('learn-bar').hidden = part === undefined;
    if (part === null) $('learn-bar').removeAttribute('value');
    else $('learn-bar').value = part ?? 0;
  }

  show() {
    const busy = this.running;
    const enough = this.#people.length >= FEWEST && this.#people.every(({ pictures }) => pictures.length >= FEWEST);
    if (!busy) $('learn-bar').hidden = true;
    for (const id of ['new-name', 'add-name']) $(id).disabled = busy;
    for (const person of this.#people) person.disabled = busy;
    $('learn').disabled = busy || !enough;
    $('learn-cancel').disabled = !busy;
    $('unlearn').disabled = busy || !this.#model;
    $('unknown').disabled = busy || !this.#model;
    filled($('learn-state'), this.#state() || words.recognise.needed(FEWEST));
  }
}
