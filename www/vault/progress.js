// How far a photo has come, by the phase it is in.

// The progress reported to the site when a phase begins. The learned times of an estimate are not used here, because they
// include the time for decrypting.
const TOLD = { decode: 0, key: 0.05, keys: 0.1, encrypt: 0.15, upload: 0.5, filter: 0.6, classify: 0.6, download: 0.9 };

/** How much of a photo's round trip to the server is done, between 0 and 1. */
export const toldPart = (report) => partDone(TOLD, report);

/** The same with another table, which says where each phase begins. A phase that it lacks comes after all others. */
export function partDone(begins, { phase, done = 0, total = 0 }) {
  const begin = begins[phase] ?? 1;
  const next = Math.min(1, ...Object.values(begins).filter((part) => part > begin));
  return begin + (total > 0 ? Math.min(1, done / total) * (next - begin) : 0);
}
