// How files get in: dropped, pasted and chosen files and folders.

const $ = (id) => document.getElementById(id);

/** Calls `take(files, where)` for incoming files, where `where` is the drop target; errors go to `fail(error)`. */
export function listen(take, fail) {
  const taking = async (get, where = null) => {
    try {
      const files = await get();
      if (files.length > 0) await take(files, where);
    } catch (error) {
      fail(error);
    }
  };
  const over = (on) => $('drop').classList.toggle('over', on);
  addEventListener('dragover', (event) => (event.preventDefault(), over(true)));
  addEventListener('dragleave', (event) => event.relatedTarget === null && over(false));
  addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    taking(() => dropped(event.dataTransfer), event.target);
  });
  addEventListener('paste', ({ clipboardData }) => taking(() => [...(clipboardData?.files ?? [])]));
  for (const input of [$('photos'), $('folder')]) input.addEventListener('change', () => taking(() => chosen(input)));
  $('folder-button').addEventListener('click', () => $('folder').click());
}

/** The files of an input. Empties the input, so that the same file can be chosen again. */
export function chosen(input) {
  const files = [...input.files];
  input.value = '';
  return files;
}

/** All dropped files, including those in dropped folders. */
async function dropped({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  const some = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  for (let more; (more = await some()).length > 0;) found.push(...more); // browsers return a hundred at a time
  return (await Promise.all(found.map(walk))).flat();
}
