// Measures alike in Node and in the browser; browsers' clocks are coarse, so a sample takes many of their ticks.

const SAMPLE = 20; // milliseconds

/** The median time of `work` in nanoseconds, of as many samples as fit into `seconds`, five at least. */
export function measure(seconds, work) {
  const once = time(work, 1);
  const calls = Math.max(1, Math.round(SAMPLE / Math.max(once, 1e-3)));
  time(work, calls); // the compiler has seen it now
  const warm = time(work, calls) / calls;
  const enough = Math.max(1, Math.round(SAMPLE / Math.max(warm, 1e-6)));
  const samples = [];
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end || samples.length < 5) samples.push(time(work, enough) / enough);
  samples.sort((a, b) => a - b);
  return Math.round(samples[samples.length >> 1] * 1e7) / 10;
}

function time(work, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) work(i);
  return performance.now() - start;
}
