import { parseArgs } from 'node:util';

const DEFAULT_PORT = 3000;

/** @throws {Error} with the sentence for the user and exit code 2. */
export function readArguments(argv, env) {
  let values;
  try {
    ({ values } = parseArgs({ args: argv, options: { once: { type: 'boolean' }, port: { type: 'string' } } }));
  } catch (error) {
    throw usageError(`${error.message.split('. ')[0]}. Known: --once, --port N.`);
  }
  const text = values.port ?? (env.DSTACK_SERVER_PORT || String(DEFAULT_PORT));
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw usageError(`${text} is no port: pass --port N with N from 1 to 65535.`);
  return { once: values.once === true, port };
}

function usageError(sentence) {
  return Object.assign(new Error(sentence), { exitCode: 2 });
}
