// The gallery's own script: what to do when the vault has made an encrypted photo, and when somebody wants to see one.

const element = document.querySelector('safe-light');
const store = document.querySelector('#store');
const note = document.querySelector('#note');

element.addEventListener('done', ({ detail: { reply } }) => {
  store.disabled = false;
  note.textContent = `${(reply.size / 1e6).toFixed(2)} MB of ciphertext are ready to be stored.`;
});
element.addEventListener('error', ({ detail: { code } }) => (note.textContent = `That did not work (${code}).`));

for (const button of document.querySelectorAll('[data-open]')) {
  button.addEventListener('click', async () => {
    await element.ready;
    element.open(await (await fetch(button.dataset.open)).blob());
    element.scrollIntoView();
  });
}

// Thumbnails of a site that sees nothing: the bytes it has, as grey pixels.
for (const canvas of document.querySelectorAll('canvas')) {
  const { width, height } = canvas;
  const bytes = new Uint8Array(await (await fetch(canvas.dataset.photo)).arrayBuffer()).subarray(-width * height);
  const image = new ImageData(width, height);
  bytes.forEach((byte, i) => image.data.set([byte, byte, byte, 255], 4 * i));
  canvas.getContext('2d').putImageData(image, 0, 0);
}
