// When the next photo may begin, after a key has worked on something untrusted.

const BEAT = 250; // ms

/**
 * The time in which a key works on untrusted input. The site sees when the next photo begins, and this must not reveal the
 * outcome. Decryption takes the same work whatever the outcome, and rounding up to whole beats hides the remaining differences.
 * Showing the result does depend on the outcome, so the next photo does not wait for that: one extra beat leaves time for it.
 */
export class Opening {
  #began = null;
  #end;
  #ended = new Promise((resolve) => (this.#end = resolve));

  begin() {
    this.#began ??= performance.now();
  }

  end() {
    if (this.#began !== null) this.#end(performance.now());
  }

  /** Waits until the next photo may begin. `work` is all the work on this one, and does not fail. */
  async over(work) {
    const ended = await Promise.race([this.#ended, work]);
    if (this.#began === null) return;
    const beats = Math.floor((ended - this.#began) / BEAT) + 2;
    await new Promise((resolve) => setTimeout(resolve, this.#began + beats * BEAT - performance.now()));
  }
}
