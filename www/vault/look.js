// The colours that a site chooses for the vault. With them, a site could hide the vault's texts and draw its own behind the real
// buttons. So the vault uses all of the site's colours or none: they must be opaque, and every text must stand out from its
// background.

import { COLOURS } from '../shared/contract.js';

const LEAST = 4.5; // contrast of texts, as in WCAG AA
const GROUNDS = ['ground', 'panel', 'well', 'note-ground'];
const SCHEMES = ['light', 'dark'];
// Colours that are the same in every place. A calculation in a colour could depend on the frame's size, which the site chooses.
const PLAIN = String.raw`(?:#[0-9a-f]+|[a-z]+|(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\([-+.%/,\w\s]*\))`;
const STEADY = new RegExp(String.raw`^(?:${PLAIN}|light-dark\(\s*${PLAIN}\s*,\s*${PLAIN}\s*\))$`, 'i');
const root = document.documentElement;

/** Uses the colours of a checked look if they are readable. Returns whether they are. `scheme` is "light", "dark", or null. */
export function takeColours({ scheme, ...colours }) {
  for (const name of [...COLOURS, 'soft']) root.style.removeProperty(`--${name}`);
  const taken = (scheme ? [scheme] : SCHEMES).every((one) => isReadable(colours, one));
  if (!taken) return false;
  for (const [name, value] of Object.entries(colours)) root.style.setProperty(`--${name}`, value);
  if (colours.text) root.style.setProperty('--soft', colours.text);
  return true;
}

function isReadable(colours, scheme) {
  const values = Object.values(colours);
  if (values.length === 0) return true;
  if (!values.every((value) => STEADY.test(value) && !/currentcolor/i.test(value))) return false;
  const probe = document.body.appendChild(document.createElement('span'));
  probe.hidden = true;
  probe.style.colorScheme = scheme;
  const shown = (value) => resolved(probe, value);
  try {
    if (!values.every((value) => shown(value) !== null)) return false;
    const of = (name) => shown(colours[name] ?? `var(--${name})`);
    const texts = [of('text'), colours.text ? of('text') : of('soft')];
    return texts.every((text) => GROUNDS.every((ground) => contrast(text, of(ground)) >= LEAST));
  } finally {
    probe.remove();
  }
}

/** Red, green and blue from 0 to 1; null if the value is not a colour, or not opaque. */
function resolved(probe, value) {
  probe.style.color = '';
  probe.style.color = `color-mix(in srgb, ${value}, ${value})`;
  if (!probe.style.color) return null;
  const text = getComputedStyle(probe).color;
  const numbers = text.replace('srgb', '').match(/-?[\d.]+(e-?\d+)?/g)?.map(Number) ?? [];
  const [red, green, blue, alpha = 1] = numbers;
  if (numbers.length < 3 || alpha < 1) return null;
  return [red, green, blue].map((part) => Math.min(1, Math.max(0, text.startsWith('rgb') ? part / 255 : part)));
}

/** The contrast ratio of two colours, as in WCAG. */
function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = colour.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
