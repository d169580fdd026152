#!/usr/bin/env node
/**
 * `npm start`: installs, builds, starts the server on SQLite, runs examples/hello on this machine, streams its logs and keeps serving.
 * Runs on the system's Node (20 or newer) and needs nothing but it and npm; everything after the install runs on the pinned Node.
 * `npm start -- --once` ends with the run's exit code. `--port N` takes another port.
 */
import { fail, Progress } from './progress.mjs';
import { checkMachine } from './check-machine.mjs';
import { install } from './install.mjs';
import { build } from './build.mjs';
import { startServer } from './server.mjs';
import { runHello } from './hello.mjs';
import { offerClientConfig } from './client-config.mjs';

const args = process.argv.slice(2);
const once = args.includes('--once');
const port = Number(args[args.indexOf('--port') + 1] || 0) || Number(process.env.DSTACK_SERVER_PORT || 3000);
const unknown = args.filter((arg, i) => !['--once', '--port'].includes(arg) && args[i - 1] !== '--port');

async function main() {
  if (unknown.length > 0) fail(`Unknown argument ${unknown[0]}. Known: --once, --port N.`, 2);
  const progress = new Progress();
  await checkMachine({ port });
  const node = await install(progress);
  await build(progress, node);
  const server = await startServer(progress, { node, port });
  const stop = async (code) => {
    await server.stop();
    process.exit(code);
  };
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      if (interrupted) process.exit(130);
      interrupted = true;
      progress.step('Stopping the server');
      void stop(signal === 'SIGINT' && !once ? 0 : 130);
    });
  }
  const exitCode = await runHello(progress, { node, server });
  if (interrupted) return;
  if (once) await stop(exitCode);
  await offerClientConfig(progress, { node, server });
  progress.say(
    `
The server goes on: ${server.url}  (Ctrl-C stops it)
Admin token: ${server.token}
Server log: ${server.logFile}

Try in another terminal, in this folder:
  npx dstack ps -a
  npx dstack logs hello
  npx dstack apply -f examples/task.dstack.yml
  npx dstack offer
`,
  );
  await server.exited;
  process.exit(interrupted ? 0 : 1);
}

main().catch((error) => fail(error instanceof Error ? error.message : String(error)));
