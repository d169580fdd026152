import { lookup, Resolver } from 'node:dns/promises';

/** A name leads nowhere: the authority would find nobody. */
export class NameError extends Error {
  override readonly name = 'NameError';
}

/** @param servers to ask; empty: as the machine does @throws {NameError} with what to do */
export async function findName(host: string, servers: readonly string[]): Promise<void> {
  try {
    if (servers.length === 0) await lookup(host);
    else {
      const resolver = new Resolver({ timeout: 5_000, tries: 2 });
      resolver.setServers(servers);
      await resolver.resolve4(host).catch(() => resolver.resolve6(host));
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    const [, parent = host] = /^[^.]+\.(.+)$/.exec(host) ?? [];
    throw new NameError(
      `${host} leads nowhere (${code}): add a DNS record for it, or for *.${parent}, with the address of this gateway`,
      { cause: error },
    );
  }
}
