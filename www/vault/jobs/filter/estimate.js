// The progress of one photo, and its remaining time.

// Shares of the total time, first guessed, then learned from each finished photo. How long a new key takes is a matter of
// chance (primes are found by trial), so it has no share: time spent on it is left out.
let shares = { decode: 0.01, encrypt: 0.2, upload: 0.02, filter: 0.05, download: 0.02, decrypt: 0.7 };

export class Estimate {
  #phase = null;
  #began = 0;
  #spent = {};
  #part = 0;

  /** Takes a progress report: the current phase, and how much of it is done. */
  report({ phase, done = 0, total = 0 }, now = performance.now()) {
    if (phase !== this.#phase) (this.#close(now), (this.#phase = phase), (this.#began = now));
    this.#part = total > 0 ? Math.min(1, done / total) : 0;
  }

  /** The total progress, between 0 and 1. */
  get fraction() {
    let sum = 0;
    for (const [phase, share] of Object.entries(shares)) {
      if (phase === this.#phase) return sum + share * this.#part;
      if (phase in this.#spent) sum += share;
    }
    return sum;
  }

  /** Seconds left, or null while it is too early to estimate. */
  secondsLeft(now = performance.now()) {
    const early = this.#phase === 'encrypt' && this.#part < 0.02;
    if (['decode', 'key', null].includes(this.#phase) || early) return null;
    const { key: _, ...spent } = this.#spent;
    const elapsed = Object.values(spent).reduce((a, b) => a + b, 0) + (now - this.#began);
    const fraction = this.fraction;
    if (elapsed < 1500) return null;
    return (elapsed * (1 - fraction)) / fraction / 1000;
  }

  /** Call this when the photo is finished, to improve the next estimate. */
  learn(now = performance.now()) {
    this.#close(now);
    const { key: _, ...spent } = this.#spent;
    const whole = Object.values(spent).reduce((a, b) => a + b, 0);
    if (whole < 5000 || Object.keys(spent).length < Object.keys(shares).length) return; // small photos say little
    shares = Object.fromEntries(Object.keys(shares).map((phase) => [phase, spent[phase] / whole]));
  }

  #close(now) {
    if (this.#phase) this.#spent[this.#phase] = (this.#spent[this.#phase] ?? 0) + now - this.#began;
  }
}
