/** Progress on stderr, one line a step, with the seconds since the start. */
export class Progress {
  #startedAt = Date.now();

  step(text) {
    const seconds = Math.round((Date.now() - this.#startedAt) / 1000);
    process.stderr.write(`[${String(seconds).padStart(3)}s] ${text}\n`);
  }

  say(text) {
    process.stderr.write(`${text}\n`);
  }
}

/** Ends with one sentence that says what is wrong and what to do. */
export function fail(sentence, code = 1) {
  process.stderr.write(`\n${sentence}\n`);
  process.exit(code);
}
