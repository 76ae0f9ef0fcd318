// One person or thing for the server to recognise: a name, which stays here, and its pictures.

import { words } from '../../words.js';

export class Person extends EventTarget {
  element;
  pictures = []; // { file, clear, scrambled, key }: the photo, its middle, the server's picture, and the key's fingerprint
  #parts = {};

  /** Fires `files` with the chosen files, `change`, and `remove`. */
  constructor(name) {
    super();
    this.name = name;
    this.element = document.getElementById('person').content.cloneNode(true).firstElementChild;
    for (const part of this.element.querySelectorAll('[data-part]')) this.#parts[part.dataset.part] = part;
    const { files, label, remove } = this.#parts;
    files.id = `photos-${crypto.randomUUID()}`;
    label.htmlFor = files.id;
    files.addEventListener('change', () => {
      const chosen = [...files.files];
      files.value = '';
      this.dispatchEvent(new CustomEvent('files', { detail: chosen }));
    });
    remove.addEventListener('click', () => this.dispatchEvent(new Event('remove')));
    this.show();
  }

  /** Adds a picture, or replaces it with one under another key. */
  put(picture) {
    const at = this.pictures.findIndex(({ file }) => file === picture.file);
    if (at >= 0) this.pictures[at] = picture;
    else this.pictures.push(picture);
    this.show();
  }

  set disabled(is) {
    for (const control of this.element.querySelectorAll('input, button')) control.disabled = is;
  }

  focus() {
    this.#parts.files.focus();
  }

  show() {
    const { name, count, label, remove, thumbs } = this.#parts;
    name.textContent = this.name;
    count.textContent = words.recognise.count(this.pictures.length);
    label.textContent = words.recognise.photosOf(this.name);
    // A name in the button would make it wrap, and the site sees how high the frame is.
    remove.textContent = words.card.remove;
    remove.setAttribute('aria-label', words.recognise.remove(this.name));
    for (const address of this.#addresses.splice(0)) URL.revokeObjectURL(address);
    thumbs.replaceChildren(...this.pictures.map((picture, i) => this.#thumb(picture, i + 1)));
  }

  #addresses = []; // URLs of the pictures shown

  #thumb(picture, number) {
    const { clearOf, scrambledOf, removePhoto } = words.recognise;
    const image = (blob, alt) => {
      const src = URL.createObjectURL(blob);
      this.#addresses.push(src);
      return Object.assign(document.createElement('img'), { src, alt, width: 48, height: 48 });
    };
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: '×' });
    button.setAttribute('aria-label', removePhoto(this.name, number));
    button.addEventListener('click', () => {
      this.pictures = this.pictures.filter((other) => other !== picture);
      this.show();
      this.focus();
      this.dispatchEvent(new Event('change'));
    });
    const item = document.createElement('li');
    const label = clearOf(this.name, number);
    item.append(image(picture.clear, label), image(picture.scrambled, scrambledOf(label)), button);
    return item;
  }
}
