import { readArguments } from './arguments.mjs';
import { Progress } from './progress.mjs';
import { checkMachine } from './check-machine.mjs';
import { install } from './install.mjs';
import { build } from './build.mjs';
import { startServer } from './server.mjs';
import { runHello } from './hello.mjs';
import { offerClientConfig } from './client-config.mjs';

/** Ctrl-C, a request to end, and a closed terminal: each stops the server too. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The whole of `npm start`, for a Node that is new enough. */
export async function run() {
  const { once, port } = readArguments(process.argv.slice(2), process.env);
  const progress = new Progress();
  await checkMachine({ port });
  const node = await install(progress);
  await build(progress, node);
  const server = startServer(progress, { node, port });
  let interrupted = false;
  const interrupt = async (signal) => {
    if (interrupted) process.exit(130);
    interrupted = true;
    progress.step('Stopping the server');
    await server.stop();
    process.exit(signal === 'SIGINT' && !once ? 0 : 130);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, interrupt);
  try {
    const { url, token } = await server.ready;
    const exitCode = await runHello(progress, { node, server: { url, token } });
    if (once && !interrupted) {
      await server.stop();
      process.exit(exitCode);
    }
    if (!interrupted) await offerClientConfig(progress, { node, server: { url, token }, interrupt });
    if (!interrupted) progress.say(whatNext({ url, token, logFile: server.logFile }));
    const how = await server.exited;
    if (!interrupted) throw new Error(`The server ${how}; its log is ${server.logFile}.`);
  } catch (error) {
    if (interrupted) return; // what the interruption broke is no news
    await server.stop();
    throw error;
  }
}

const whatNext = ({ url, token, logFile }) => `
The server goes on: ${url}  (Ctrl-C stops it)
Admin token: ${token}
Server log: ${logFile}

Try in another terminal, in this folder:
  npx dstack ps -a
  npx dstack logs hello
  npx dstack apply -f examples/task.dstack.yml
  npx dstack offer
`;
