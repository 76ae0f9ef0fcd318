// Decides which clicks the visitor meant (protection against clickjacking). The site decides when something appears in the
// vault, and may move the frame or change its layout under the pointer. So a click on something that has just appeared or moved
// does not count. The time that counts is when the pointer or key went down: from then on, the site knows that a click is coming.

/** Milliseconds for which an element must have stayed in place before a click on it counts. */
export const SOON = 500;

const LOOKED = 100; // ms between two checks of the positions
const LATE = 500; // ms after the pointer or key went up in which its click arrives

const watched = new Map(); // element -> { x, y, since }
let held = null; // while the pointer or key is down: for how long each element had stayed in place by then
let timer = null;
let release = null;

/** Records from now on how long this element stays in place, while it can be used. */
export function watch(element) {
  watched.delete(element);
  look(performance.now(), [element]);
  timer ??= setInterval(() => look(performance.now()), LOOKED);
}

/** For how many milliseconds an element had stayed in place when this click began. */
export function stood(element, event) {
  if (!event.isTrusted) return Infinity; // from a script of the vault; the site cannot dispatch such events here
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
