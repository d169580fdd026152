#!/usr/bin/env node
/**
 * `npm start`: installs, builds, starts the server on SQLite, runs examples/hello on this machine, streams its logs and keeps serving.
 * Runs on the system's Node (20 or newer) and needs nothing but it and npm; everything after the install runs on the pinned Node.
 * `npm start -- --once` ends with the run's exit code. `--port N` takes another port.
 */

const OLDEST_NODE = 20;

// This file is read by whatever Node there is (Ubuntu 22.04 has 12): old syntax only, and nothing imported before the check.
if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  end(
    `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE} or newer (nodejs.org), then run npm start again.`,
  );
} else {
  import('./run.mjs')
    .then((quickstart) => quickstart.run())
    .catch((error) => end(error instanceof Error ? error.message : String(error), error && error.exitCode));
}

/** Ends with one sentence that says what is wrong and what to do. */
function end(sentence, code) {
  process.stderr.write(`\n${sentence}\n`);
  process.exit(code || 1);
}
