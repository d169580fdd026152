import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.mjs';

const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;

/** Starts the server as a child process; `ready` resolves when it answers. The server tells URL and token over the IPC channel. */
export function startServer(progress, { node, port }) {
  progress.step(`Starting the server on http://127.0.0.1:${port}`);
  const serverDir = process.env.DSTACK_SERVER_DIR || join(homedir(), '.dstack', 'server');
  mkdirSync(serverDir, { recursive: true, mode: 0o700 });
  const logFile = join(serverDir, 'server.log');
  // Moved, not emptied: a server that runs on this directory goes on writing to its own.
  if (existsSync(logFile)) renameSync(logFile, join(serverDir, 'server.previous.log'));
  const log = openSync(logFile, 'a', 0o600);
  const whatTheLogSays = () => readFileSync(logFile, 'utf8').trim().split('\n').slice(-15).join('\n');
  const child = spawn(
    node,
    [
      join(repositoryRoot, 'apps/server/bin/main.mjs'),
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--config-client',
    ],
    {
      cwd: repositoryRoot,
      // Its own process group: Ctrl-C reaches this script only, which stops the server in order.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    },
  );
  const exited = new Promise((resolve) =>
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with exit code ${code}` : `was killed (${signal})`),
    ),
  );
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(timer);
  };
  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new Error(
          `The server did not answer within ${READY_LIMIT_MS / 1000} s. The end of its log (${logFile}):\n${whatTheLogSays()}`,
        ),
      );
    }, READY_LIMIT_MS);
    child.once('error', reject);
    void exited.then((how) => {
      clearTimeout(timer);
      reject(new Error(`${whatTheLogSays()}\n\nThe server ${how}; its log is ${logFile}.`));
    });
    child.on('message', (message) => {
      if (message?.type !== 'ready') return;
      clearTimeout(timer);
      progress.step(`Server up: ${message.url}`);
      resolve({ url: message.url, token: message.adminToken });
    });
  });
  return { ready, logFile, stop, exited };
}
