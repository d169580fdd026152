import { createServer } from 'node:net';
import type { Wire } from '@dstack/core';
import type { PortMapping } from '../apply/merge-ports.js';
import { CliError } from '../errors/cli-error.js';
import type { ForwardedPort } from '../render/client-url.js';

const TRIES = 100;

export interface PortWishes {
  readonly apps: readonly Wire.AppSpec[];
  readonly overrides: readonly PortMapping[];
  readonly bindHost: string | undefined;
  /** The job uses this machine's own ports. */
  readonly isOnThisMachine: boolean;
}

/**
 * Local ports for the ports of a job. Those the user chose must be free; the others move up to the next free one. A port the job
 * itself has on this machine is left to it.
 * @throws {CliError}
 */
export async function reservePorts({
  apps,
  overrides,
  bindHost,
  isOnThisMachine,
}: PortWishes): Promise<ForwardedPort[]> {
  const host = bindHost ?? 'localhost';
  const reserved: ForwardedPort[] = [];
  for (const app of apps) {
    const override = overrides.find((port) => port.container_port === app.port);
    const chosen = override ? override.local_port : (app.map_to_port ?? null);
    const taken = new Set(reserved.map((port) => port.localPort));
    if (isOnThisMachine && (chosen ?? app.port) === app.port) {
      reserved.push({ host, localPort: app.port, remotePort: app.port, isDirect: true });
      continue;
    }
    const localPort = chosen === null ? await nextFree(app.port, host, taken) : await exactly(chosen, host, taken);
    reserved.push({ host, localPort, remotePort: app.port, isDirect: false });
  }
  const unknown = overrides.find((port) => !apps.some((app) => app.port === port.container_port));
  if (unknown)
    throw new CliError(`The run does not expose port ${unknown.container_port}.`, {
      hint: `Exposed: ${apps.map((app) => app.port).join(', ') || 'none'}. Add it to ports in the configuration.`,
    });
  return reserved;
}

async function exactly(port: number, host: string, taken: ReadonlySet<number>): Promise<number> {
  if (!taken.has(port) && (await isFree(port, host))) return port;
  throw new CliError(`Port ${port} is already in use.`, {
    hint: `Use another: -p ${port + 1}:REMOTE, or -p *:REMOTE for any free one.`,
  });
}

async function nextFree(from: number, host: string, taken: ReadonlySet<number>): Promise<number> {
  // Ports below 1024 need rights a user seldom has.
  const first = from < 1024 ? from + 8000 : from;
  for (let port = first; port < Math.min(first + TRIES, 65_536); port += 1)
    if (!taken.has(port) && (await isFree(port, host))) return port;
  throw new CliError(`No free local port near ${from}.`, { hint: `Choose one: -p LOCAL:${from}` });
}

async function isFree(port: number, host: string): Promise<boolean> {
  // Browsers and curl try either address of that name.
  const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
  for (const address of addresses) if (!(await canListen(port, address))) return false;
  return true;
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    // An address this machine has not is nobody's.
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRNOTAVAIL'));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
