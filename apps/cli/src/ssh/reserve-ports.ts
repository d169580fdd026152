import { createServer } from 'node:net';
import type { Wire } from '@dstack/core';
import type { PortMapping } from '../apply/merge-ports.js';
import { CliError } from '../errors/cli-error.js';
import type { ForwardedPort } from '../render/client-url.js';

const TRIES = 100;

/**
 * Local ports for the ports of a job. Those the user chose must be free; the others move up to the next free one.
 * @throws {CliError}
 */
export async function reservePorts(
  apps: readonly Wire.AppSpec[],
  overrides: readonly PortMapping[],
  bindHost: string | undefined,
): Promise<ForwardedPort[]> {
  const host = bindHost ?? 'localhost';
  const reserved: ForwardedPort[] = [];
  for (const app of apps) {
    const override = overrides.find((port) => port.container_port === app.port);
    const chosen = override ? override.local_port : (app.map_to_port ?? null);
    const taken = new Set(reserved.map((port) => port.localPort));
    const localPort = chosen === null ? await nextFree(app.port, host, taken) : await exactly(chosen, host, taken);
    reserved.push({ host, localPort, remotePort: app.port });
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

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
