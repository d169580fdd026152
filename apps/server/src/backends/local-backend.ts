import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServerSettings } from '../settings/settings.js';

const LOOPBACK = new Set(['localhost', '::1', '[::1]']);

/**
 * Whether this machine runs jobs without being asked to: only where nobody else can reach the server, and not inside the
 * server's own image, whose machine is nobody's.
 */
export function localIsOn({ host, inServerImage }: Pick<ServerSettings, 'host' | 'inServerImage'>): boolean {
  return !inServerImage && (LOOPBACK.has(host) || host.startsWith('127.'));
}

/** What only the local backend needs to open. @throws when the agent is not installed */
export function localExtras(settings: Pick<ServerSettings, 'serverDir' | 'agentCommand'>): {
  rootDirectory: string;
  agentCommand: readonly string[];
} {
  const agentCommand = settings.agentCommand ?? installedAgent();
  if (agentCommand === undefined) throw new Error('Running jobs on this machine needs the agent: npm i @dstack/agent');
  return { rootDirectory: join(settings.serverDir, 'local'), agentCommand };
}

/** How the agent that is installed beside the server is started. */
export function installedAgent(): readonly string[] | undefined {
  let main: string;
  try {
    main = fileURLToPath(import.meta.resolve('@dstack/agent/main'));
  } catch {
    return undefined;
  }
  // In a checkout the name may lead to the source, which plain Node cannot run.
  const built = main.replace(/\/src\/([^/]+)\.ts$/, '/dist/$1.js');
  return existsSync(built) ? [process.execPath, built] : undefined;
}
