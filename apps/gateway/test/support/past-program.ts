import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closingPath } from '../../src/nginx/nginx-config.js';
import { type Answer, ask, type Question } from './ask.js';
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

/** Until all requests to the service go past the program. Gives the tunnel of the last one. */
export function untilPast(gateway: TestGateway, host = 'web.test'): Promise<string> {
  return until('requests go past the program', async () => {
    const question = { host, path: '/past', headers: { authorization: `Bearer ${TOKEN}` } };
    const { tunnel } = await askSeen(gateway, question);
    return isReloading(gateway) ? null : tunnel || null;
  });
}

/** With the tunnel it went through; empty: it went through the program. */
export async function askSeen(gateway: TestGateway, question: Question): Promise<Answer & { readonly tunnel: string }> {
  const host = question.host ?? 'web.test';
  const seen = () => loggedRequests(gateway).filter((each) => each.host === host);
  const before = seen().length;
  const answer = await ask(gateway.httpPort, question);
  // nginx answers first, and writes its log then.
  const { tunnel } = await until('it is in the log', () => seen()[before] ?? null);
  return { ...answer, tunnel };
}

/** Workers with the former configuration take requests too. */
function isReloading(gateway: TestGateway): boolean {
  return existsSync(closingPath(join(gateway.dir, 'nginx')));
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
