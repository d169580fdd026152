const SIGN_OF_LIFE_MS = 15_000;

/** Progress on stderr, one line a step, with the seconds since the start. */
export class Progress {
  #startedAt = Date.now();

  step(text) {
    const seconds = Math.round((Date.now() - this.#startedAt) / 1000);
    process.stderr.write(`[${String(seconds).padStart(3)}s] ${text}\n`);
  }

  /** A step that may take minutes on a slow network or disk says now and then that it goes on. */
  async during(text, work) {
    this.step(text);
    const timer = setInterval(() => this.step('  … goes on'), SIGN_OF_LIFE_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  say(text) {
    process.stderr.write(`${text}\n`);
  }
}
