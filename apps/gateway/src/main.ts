#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { listenAddresses } from './process/listen-addresses.js';
import { selfCommand } from './process/self-command.js';
import { systemdUnit } from './process/systemd-unit.js';
import type { GatewaySettings } from './settings.js';
import { GATEWAY_VERSION } from './version.js';

const USAGE = `Usage:
  dstack-gateway start [options]   serve in the background, in place of whoever does now
  dstack-gateway serve [options]   the same, in the foreground
  dstack-gateway stop [options]    end it, and nginx
  dstack-gateway unit [options]    print a unit for systemd
  dstack-gateway --version

Options:
  --dir DIR            everything it keeps (default /var/lib/dstack-gateway)
  --http-port PORT     default 80
  --https-port PORT    default 443
  --listen ADDRESS     may be repeated (default: every address)
  --nginx PROGRAM      default: the system's
  --ssh PROGRAM        OpenSSH's client (default: the system's); without one all requests go through this program
  --socket-user UID    who may open DIR/gateway.sock, beside root
  --command PATH       unit: the program, as a path that stays the same over updates
  --dns ADDRESS        asked whether a name leads anywhere; may be repeated (default: as the machine does)
`;

class UsageError extends Error {}

async function main(argv: readonly string[]): Promise<void> {
  const [command, ...flags] = argv;
  switch (command) {
    case '--version':
      return void process.stdout.write(`dstack-gateway version ${GATEWAY_VERSION}\n`);
    case 'serve':
      return (await import('./process/serve.js')).serve(await readSettings(flags));
    case 'start':
      return (await import('./process/start.js')).start(await readSettings(flags), flags);
    case 'stop':
      return (await import('./process/stop.js')).stop(await readSettings(flags));
    case 'unit': {
      const { dir } = await readSettings(flags);
      const program = parseFlags(flags).values.command ?? launcher();
      return void process.stdout.write(systemdUnit({ command: program, dir, flags: withoutCommand(flags) }));
    }
    default:
      throw new UsageError(command === undefined ? 'a command is required' : `there is no command ${command}`);
  }
}

async function readSettings(flags: readonly string[]): Promise<GatewaySettings> {
  const { values } = parseFlags(flags);
  return {
    dir: resolve(values.dir),
    httpPort: port('--http-port', values['http-port']),
    httpsPort: port('--https-port', values['https-port']),
    addresses: values.listen ?? (await listenAddresses()),
    nginx: values.nginx ?? findNginx(),
    ssh: values.ssh ?? 'ssh',
    socketUser: values['socket-user'] === undefined ? null : whole('--socket-user', values['socket-user']),
    dns: values.dns ?? [],
  };
}

function parseFlags(flags: readonly string[]) {
  try {
    return parseArgs({
      args: [...flags],
      options: {
        dir: { type: 'string', default: '/var/lib/dstack-gateway' },
        'http-port': { type: 'string', default: '80' },
        'https-port': { type: 'string', default: '443' },
        listen: { type: 'string', multiple: true },
        nginx: { type: 'string' },
        ssh: { type: 'string' },
        'socket-user': { type: 'string' },
        dns: { type: 'string', multiple: true },
        command: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function port(flag: string, text: string): number {
  const value = whole(flag, text);
  if (value < 1 || value > 65_535) throw new UsageError(`${flag} must be a port, not ${text}`);
  return value;
}

function whole(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`${flag} must be a number, not ${text}`);
  return Number(text);
}

function findNginx(): string {
  return ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path)) ?? 'nginx';
}

function withoutCommand(flags: readonly string[]): string[] {
  const at = flags.findIndex((flag) => flag === '--command' || flag.startsWith('--command='));
  return at < 0 ? [...flags] : flags.toSpliced(at, flags[at] === '--command' ? 2 : 1);
}

/** The folder's own launcher, where there is one. */
function launcher(): string {
  const command = selfCommand();
  const script = join(dirname(command.at(-1) ?? ''), 'dstack-gateway');
  return existsSync(script) ? script : command.join(' ');
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n${USAGE}`);
      process.exit(2);
    }
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
