import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '../postgres.js';
import { Stack } from '../stack.js';

/**
 * Servers of one database, not started, whose runs are on this machine: they share the directory of what runs here, so each can go on with
 * what another began.
 */
export function serversOnOneMachine(count: number, postgres: PostgresServer): Stack[] {
  const env = {
    DSTACK_DATABASE_URL: postgres.url,
    DSTACK_SERVER_ADMIN_TOKEN: randomBytes(16).toString('hex'),
  };
  const stacks = Array.from({ length: count }, () => new Stack(env));
  const [first, ...others] = stacks;
  if (first === undefined) return [];
  const shared = join(first.serverDir, 'local');
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  for (const { serverDir } of others) {
    mkdirSync(serverDir, { recursive: true, mode: 0o700 });
    symlinkSync(shared, join(serverDir, 'local'));
  }
  return stacks;
}

/** How many hosts each server is connected to. */
export function connectionsOf(stacks: readonly Stack[], postgres: PostgresServer): ReadonlyMap<Stack, number> {
  const rows = postgres.ask(
    'SELECT connection_holder, count(*) FROM instances WHERE deleted = false AND connection_holder IS NOT NULL GROUP BY 1',
  );
  const counts = new Map(rows.map((row) => [row.split('|')[0], Number(row.split('|')[1])]));
  return new Map(stacks.map((stack) => [stack, counts.get(holderOf(stack)) ?? 0]));
}

/** As this server signs leases. */
function holderOf(stack: Stack): string {
  // Written by the server when it starts.
  const life = JSON.parse(readFileSync(join(stack.serverDir, 'server.life.json'), 'utf8')) as { holder: string };
  return life.holder;
}
