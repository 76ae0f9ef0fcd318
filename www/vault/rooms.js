// Boxes of a fixed size. The site sees how high the vault is, so texts whose length is private scroll inside a box. `vault.css` keeps
// touches in every box, whether or not its text overflows. This script marks boxes that overflow, so that people
// see that there is more, and keeps scrolling by wheel and keyboard in them.

const ROOMS = '.key, .outcome, .card figcaption, .card .hint, .phases, .queue .card-status, #labels, #learn-state, .verdict p';
const SPARE = 2; // pixels: one that every box can be scrolled, by its style, and rounding
const LINE = 40; // pixels
const STEPS = { ArrowUp: [-LINE, 0], ArrowDown: [LINE, 0], PageUp: [0, -1], PageDown: [0, 1], ' ': [0, 1], Home: [-1e6, 0], End: [1e6, 0] };

export function watchRooms() {
  new MutationObserver((changes) => changes.flatMap(changed).forEach(mark)).observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
  });
  new ResizeObserver(() => document.querySelectorAll(ROOMS).forEach(mark)).observe(document.body);
  addEventListener('keydown', keep);
  addEventListener('wheel', turn, { passive: false }); // Firefox does not always heed the style sheet
}

/** The boxes that contain a change, and those that it added. */
function changed({ target, addedNodes }) {
  const rooms = [...addedNodes].flatMap((node) => [...(node.querySelectorAll?.(ROOMS) ?? [])]);
  for (let at = target; at; at = at.parentElement) if (at.matches?.(ROOMS)) rooms.push(at);
  return rooms;
}

/** Only boxes with more text than they show are tab stops. */
function mark(room) {
  const long = room.scrollHeight > room.clientHeight + SPARE;
  room.classList.toggle('long', long);
  room.tabIndex = long ? 0 : -1;
}

/** Scrolls the box as browsers do, but never the site. */
function keep(event) {
  const step = STEPS[event.key];
  if (!step || event.defaultPrevented || !event.target.matches?.(ROOMS)) return;
  event.preventDefault();
  event.target.scrollBy(0, step[0] + step[1] * event.target.clientHeight);
}

/** Scrolls the innermost box that has more to show. Whatever the box shows, the site does not scroll. */
function turn(event) {
  const box = event.target.closest?.(ROOMS);
  if (!box || event.ctrlKey || event.defaultPrevented) return;
  event.preventDefault();
  const unit = [1, LINE, box.clientHeight][event.deltaMode];
  (event.target.closest('.long') ?? box).scrollBy(0, event.deltaY * unit);
}
