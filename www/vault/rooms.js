// Rooms of a fixed size: the site sees how high the vault is, so texts that it must not measure scroll inside of one. All of them
// keep the wheel and the finger to themselves, whether there is something to scroll or not (`vault.css`). Here the long ones are
// marked, so that people see that there is more, and the keyboard is kept in them, too.

const ROOMS = '.key, .outcome, .card figcaption, .card .hint, .phases, .queue .card-status, #labels, #learn-state, .verdict p';
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
}

/** The rooms that a change is in, and those that came with it. */
function changed({ target, addedNodes }) {
  const rooms = [...addedNodes].flatMap((node) => [...(node.querySelectorAll?.(ROOMS) ?? [])]);
  for (let at = target; at; at = at.parentElement) if (at.matches?.(ROOMS)) rooms.push(at);
  return rooms;
}

/** A room that can be scrolled would be a stop of the keyboard; only long ones are. (Two pixels: the one of all, and rounding.) */
function mark(room) {
  const long = room.scrollHeight > room.clientHeight + 2;
  room.classList.toggle('long', long);
  room.tabIndex = long ? 0 : -1;
}

/** Scrolls by the keyboard as browsers do, but never the site. */
function keep(event) {
  const step = STEPS[event.key];
  if (!step || event.defaultPrevented || !event.target.matches?.(ROOMS)) return;
  event.preventDefault();
  event.target.scrollBy(0, step[0] + step[1] * event.target.clientHeight);
}
