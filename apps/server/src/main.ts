import nodeModule from 'node:module';
import type { AddressInfo } from 'node:net';
import { announce } from './bootstrap/announce.js';
import { parseCommandLine, USAGE } from './bootstrap/command-line.js';
import { describeStartError } from './bootstrap/describe-start-error.js';
import { useGoogleCredentials } from './bootstrap/google-credentials.js';
import { giveMemoryBack } from './bootstrap/idle-memory.js';
import { listenProblem } from './bootstrap/listen-problem.js';
import { listeningUrl } from './bootstrap/listening-url.js';
import { requireNode } from './bootstrap/require-node.js';
import { isOperation, runOperation } from './operations/run-operation.js';
import { readSettings } from './settings/read-settings.js';
import { realWorld } from './world/real-world.js';

export { describeStartError };

const STOP_LIMIT_MS = 12_000;

/** Does what the first word says (`backup`, …); without one: starts the server and serves until SIGINT, SIGTERM or the end of the parent that started it over IPC; resolves when it has stopped. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  requireNode(process.versions.node);
  useGoogleCredentials(process.env);
  if (isOperation(argv[0])) return runOperation(argv);
  const line = parseCommandLine(argv);
  if (line.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { settings, warnings } = readSettings(process.env, line.flags);
  const stopped = nextStopSignal();
  // What is compiled is kept for the next start; it is half of the time that loading takes.
  nodeModule.enableCompileCache();
  const { createServerApp } = await import('./create-server-app.js');
  const server = await createServerApp(settings, { warnings });
  const stopGiving = giveMemoryBack(realWorld().scheduler);
  try {
    await server.app.listen(settings.port, settings.host).catch((error: unknown) => {
      throw listenProblem(error, settings);
    });
    const { port } = server.app.getHttpServer().address() as AddressInfo; // a TCP server that listens has one
    const url = listeningUrl(settings.url, port);
    const print = (text: string): boolean => process.stdout.write(`${text}\n`);
    await announce({ settings: { ...settings, url }, adminToken: server.adminToken, print });
    // A parent that started us over IPC waits for this instead of polling.
    process.send?.({ type: 'ready', url, adminToken: server.adminToken });
    await stopped;
  } finally {
    // What hangs past the limit holds nothing that is not in the database.
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    stopGiving();
    await server.close();
  }
}

function nextStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
      process.removeListener('disconnect', stop);
      process.once('SIGINT', () => process.exit(130)); // a second Ctrl-C does not wait
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    process.on('disconnect', stop); // a parent that started us over IPC is gone
  });
}

/** `main` as a program of its own, which ends with it. */
export async function run(): Promise<void> {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${describeStartError(error)}\n`);
    process.exit(1);
  }
}
