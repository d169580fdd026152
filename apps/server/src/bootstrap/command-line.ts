import { parseArgs } from 'node:util';
import { operationUsages } from '../operations/run-operation.js';
import { SettingsError } from '../settings/read-settings.js';
import type { LogLevel, ServerSettings } from '../settings/settings.js';

export const USAGE = `Usage: dstack server [options]

  --host HOST          address to listen on (DSTACK_SERVER_HOST, default 127.0.0.1)
  --port PORT, -p      port to listen on (DSTACK_SERVER_PORT, default 3000)
  --token TOKEN        token of the user admin, taken at the first start (DSTACK_SERVER_ADMIN_TOKEN)
  --log-level LEVEL    DEBUG, INFO, WARNING, ERROR or CRITICAL (DSTACK_SERVER_LOG_LEVEL, default INFO)
  --config-client      point the project main of the CLI's configuration at this server; ask before one is replaced
  --yes, -y            the same without asking
  --no, -n             leave the CLI's configuration alone

${operationUsages()
  .map((usage) => `       dstack server ${usage}`)
  .join('\n')}
`;

const LEVELS: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

export type CommandLine = { readonly help: true } | { readonly help: false; readonly flags: Partial<ServerSettings> };

/** @throws {SettingsError} */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const values = parse(argv);
  if (values.help === true) return { help: true };
  const level = values['log-level']?.toUpperCase();
  if (level !== undefined && !isLogLevel(level))
    throw new SettingsError(`--log-level must be one of ${LEVELS.join(', ')}, not "${values['log-level']}".`);
  const flags: Partial<ServerSettings> = {
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(values.port === undefined ? {} : { port: port(values.port) }),
    ...(values.token === undefined ? {} : { adminToken: values.token }),
    ...(level === undefined ? {} : { logLevel: level }),
    ...(values.no === true ? {} : clientConfiguration(values)),
  };
  return { help: false, flags };
}

function clientConfiguration(values: { yes?: boolean; 'config-client'?: boolean }): Partial<ServerSettings> {
  if (values.yes === true) return { configureClient: 'always' };
  return values['config-client'] === true ? { configureClient: 'ask' } : {};
}

function parse(argv: readonly string[]): {
  help?: boolean;
  host?: string;
  port?: string;
  token?: string;
  'log-level'?: string;
  'config-client'?: boolean;
  yes?: boolean;
  no?: boolean;
} {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h' },
        host: { type: 'string' },
        port: { type: 'string', short: 'p' },
        token: { type: 'string' },
        'log-level': { type: 'string' },
        'config-client': { type: 'boolean' },
        yes: { type: 'boolean', short: 'y' },
        no: { type: 'boolean', short: 'n' },
      },
    }).values;
  } catch (error) {
    throw new SettingsError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function port(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isInteger(number) || number < 0 || number > 65_535)
    throw new SettingsError(`--port must be a number from 0 to 65535, not "${text}".`);
  return number;
}

function isLogLevel(text: string): text is LogLevel {
  return LEVELS.some((level) => level === text);
}
