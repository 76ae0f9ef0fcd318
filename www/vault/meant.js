// Which clicks the visitor meant. The site decides when something comes up in the vault, and may move the frame or have it laid
// out anew under the pointer: a click on what has just come or moved says nothing. What counts is what stood where it is when
// the pointer or the key went down, because from then on the site knows that a click is coming.

/** Milliseconds for which something must have stood where it is before a click on it counts. */
export const SOON = 500;

const LOOKED = 100; // ms between two looks
const LATE = 500; // ms after the pointer or the key went up, in which its click comes

const watched = new Map(); // element -> { x, y, since }
let held = null; // since the pointer or the key went down: for how long each element had stood by then
let timer = null;
let release = null;

/** From now on, how long this element stands where it is will be known: as long as it can be used. */
export function watch(element) {
  watched.delete(element);
  look(performance.now(), [element]);
  timer ??= setInterval(() => look(performance.now()), LOOKED);
}

/** For how many milliseconds an element had stood where it is when this click began. */
export function stood(element, event) {
  if (!event.isTrusted) return Infinity; // a script of the vault's own; no site can make such events here
  return (held ?? ages()).get(element) ?? 0;
}

function look(now, elements = [...watched.keys()]) {
  for (const element of elements) {
    const was = watched.get(element);
    if (!element.isConnected || element.matches(':disabled, dialog:not([open])')) {
      watched.delete(element);
      continue;
    }
    const { left, top } = element.getBoundingClientRect();
    const [x, y] = [left + scrollX, top + scrollY]; // the visitor may scroll
    if (x !== was?.x || y !== was.y) watched.set(element, { x, y, since: now });
  }
  if (watched.size === 0) timer = clearInterval(timer) ?? null;
}

function ages() {
  const now = performance.now();
  look(now);
  return new Map([...watched].map(([element, { since }]) => [element, now - since]));
}

function down({ repeat = false }) {
  clearTimeout(release);
  if (!repeat) held = ages();
}

function up() {
  clearTimeout(release);
  release = setTimeout(() => (held = null), LATE);
}

for (const type of ['pointerdown', 'keydown']) addEventListener(type, down, { capture: true });
for (const type of ['pointerup', 'pointercancel', 'keyup']) addEventListener(type, up, { capture: true });
