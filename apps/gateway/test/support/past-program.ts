import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from './ask.js';
import { type TestGateway, TOKEN } from './test-gateway.js';
import { until } from './until.js';

interface LoggedRequest {
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly tunnel: string;
}

/** Of nginx's log, oldest first. */
export function loggedRequests(gateway: TestGateway): LoggedRequest[] {
  const path = join(gateway.dir, 'nginx', 'access.log');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line) as LoggedRequest);
}

/** Until requests to the service go past the program. Gives the tunnel of the last one. */
export function untilPast(gateway: TestGateway, host = 'web.test'): Promise<string> {
  return until('requests go past the program', async () => {
    await ask(gateway.httpPort, { host, path: '/past', headers: { authorization: `Bearer ${TOKEN}` } });
    return tunnelOfLast(gateway, host) || null;
  });
}

/** Empty: it went through the program. */
export function tunnelOfLast(gateway: TestGateway, host = 'web.test'): string {
  return loggedRequests(gateway).findLast((each) => each.host === host)?.tunnel ?? '';
}

/** By pid: the words of the commands that lead tunnels of this gateway. */
export function tunnelCommands(gateway: TestGateway): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').filter(Boolean);
      if (words[0]?.endsWith('ssh') === true && words.some((word) => word.startsWith(`${gateway.dir}/`)))
        found.set(Number(pid), words);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}
