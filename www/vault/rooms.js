// Rooms: boxes of a fixed size. The site sees how high the vault is, so texts whose length is private scroll inside a room.
// `vault.css` keeps scrolling by touch inside every room, whether or not its text overflows. This script does the same for the
// wheel and the keyboard, and marks rooms that overflow, so that people see that there is more.

const ROOM = '.room';
const SPARE = 2; // pixels: one by which the style lets every room scroll, and one for rounding
const LINE = 40; // pixels
const STEPS = { ArrowUp: [-LINE, 0], ArrowDown: [LINE, 0], PageUp: [0, -1], PageDown: [0, 1], ' ': [0, 1], Home: [-1e6, 0], End: [1e6, 0] };

export function watchRooms() {
  new MutationObserver((changes) => new Set(changes.flatMap(changed)).forEach(mark)).observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
  });
  new ResizeObserver(() => document.querySelectorAll(ROOM).forEach(mark)).observe(document.body);
  addEventListener('keydown', keep);
  addEventListener('wheel', turn, { passive: false }); // Firefox does not always heed the style sheet
}

/** The rooms that contain a change, and those that it added. */
function changed({ target, addedNodes }) {
  const rooms = [...addedNodes].flatMap((node) => [...(node.querySelectorAll?.(ROOM) ?? [])]);
  for (let at = target; at; at = at.parentElement) if (at.matches?.(ROOM)) rooms.push(at);
  return rooms;
}

/** Only rooms with more text than they show are tab stops. */
function mark(room) {
  const long = room.scrollHeight > room.clientHeight + SPARE;
  room.classList.toggle('long', long);
  room.tabIndex = long ? 0 : -1;
}

/** Scrolls a room as browsers do, but never the site. */
function keep(event) {
  const step = STEPS[event.key];
  if (!step || event.defaultPrevented || !event.target.matches?.(ROOM)) return;
  event.preventDefault();
  event.target.scrollBy(0, step[0] + step[1] * event.target.clientHeight);
}

/** Scrolls the innermost room that has more to show. Whatever it shows, the site does not scroll. */
function turn(event) {
  const room = event.target.closest?.(ROOM);
  if (!room || event.ctrlKey || event.defaultPrevented) return;
  event.preventDefault();
  const unit = [1, LINE, room.clientHeight][event.deltaMode];
  (event.target.closest('.long') ?? room).scrollBy(0, event.deltaY * unit);
}
