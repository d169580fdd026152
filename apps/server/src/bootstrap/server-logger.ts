import { ConsoleLogger, type LogLevel as NestLevel } from '@nestjs/common';
import type { LogLevel, ServerSettings } from '../settings/settings.js';
import { tell } from '../telemetry/log-lines.js';
import { currentIds } from '../telemetry/traced.js';
import { logFields } from './log-fields.js';

/** The framework's own start-up chatter, of use to nobody who runs a server. */
const QUIET = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);

/** Under which the framework writes with its stack what keeps the server from starting. */
const OF_A_START = new Set(['NestApplication', 'ExceptionHandler']);

const LEVELS: Readonly<Record<LogLevel, NestLevel[]>> = {
  DEBUG: ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'],
  INFO: ['fatal', 'error', 'warn', 'log'],
  WARNING: ['fatal', 'error', 'warn'],
  ERROR: ['fatal', 'error'],
  CRITICAL: ['fatal'],
};

export class ServerLogger extends ConsoleLogger {
  constructor({ logLevel, logFormat }: Pick<ServerSettings, 'logLevel' | 'logFormat'>) {
    super({
      prefix: 'dstack',
      logLevels: LEVELS[logLevel],
      json: logFormat === 'json',
      colors: logFormat === 'rich' && process.stdout.isTTY === true,
    });
  }

  /** With `logFormat: json` each line says what it is about. */
  protected override getJsonLogObject(
    ...parts: Parameters<ConsoleLogger['getJsonLogObject']>
  ): ReturnType<ConsoleLogger['getJsonLogObject']> {
    const ids = currentIds();
    const trace = ids === null ? {} : { trace_id: ids.traceId, span_id: ids.spanId };
    return { ...super.getJsonLogObject(...parts), ...logFields(), ...trace };
  }

  /** As events and the API write times: sortable, and the same wherever the server runs. */
  protected override getTimestamp(): string {
    return new Date().toISOString();
  }

  protected override printMessages(...parts: Parameters<ConsoleLogger['printMessages']>): void {
    super.printMessages(...parts);
    const [messages, context = '', level = 'log', , stack] = parts;
    tell(() => ({
      level,
      context,
      text: messages.filter((message) => !(message instanceof Error)).map(textOf).join(' '), // prettier-ignore
      fields: logFields(),
      error: messages.find((message) => message instanceof Error) ?? errorOf(stack),
      trace: currentIds(),
    }));
  }

  /** What the application itself fails at is thrown too, and told once, with what to do. */
  override error(message: unknown, ...rest: unknown[]): void {
    if (OF_A_START.has(String(rest.at(-1)))) return;
    super.error(message, ...(rest as [string]));
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (QUIET.has(String(rest.at(-1)))) return;
    super.log(message, ...(rest as [string]));
  }
}

const textOf = (message: unknown): string => (typeof message === 'string' ? message : JSON.stringify(message));

/** Of which only the stack was written. */
function errorOf(stack: unknown): Error | undefined {
  if (typeof stack !== 'string') return undefined;
  const [, name = 'Error', message = stack] = /^(\w*Error): (.*)/.exec(stack) ?? [];
  return Object.assign(new Error(message), { name, stack });
}

/** The logger of one part. */
export function scoped(
  logger: ServerLogger,
  context: string,
): Record<'log' | 'warn' | 'debug', (line: string) => void> {
  return {
    log: (line) => logger.log(line, context),
    warn: (line) => logger.warn(line, context),
    debug: (line) => logger.debug(line, context),
  };
}
