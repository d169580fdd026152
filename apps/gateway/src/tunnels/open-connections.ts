import { readFile } from 'node:fs/promises';

/** By the path at which a socket was bound: the connections to it that are open on this machine. */
export async function openConnections(): Promise<ReadonlyMap<string, number>> {
  return countConnections(await readFile('/proc/net/unix', 'utf8').catch(() => ''));
}

/** @param table `/proc/net/unix`: a connection that was taken has the path of who took it */
export function countConnections(table: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [, path = ''] of table.matchAll(/^\S+: \S+ \S+ 00000000 0001 03 +\d+ (\/.*)$/gm))
    counts.set(path, (counts.get(path) ?? 0) + 1);
  return counts;
}
