import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

export interface ServedAgents {
  /** For `DSTACK_AGENT_DOWNLOAD_URL`, as containers see it. */
  readonly url: string;
  close(): void;
}

/** Hands out what a server has packed, to containers of this machine's engine. @param directory asked at each request, as it may come later */
export async function serveAgents(directory: () => string): Promise<ServedAgents> {
  const digests = new Map<string, string>();
  const digestOf = (path: string): string => {
    const digest = digests.get(path) ?? createHash('sha256').update(readFileSync(path)).digest('hex');
    digests.set(path, digest);
    return digest;
  };
  const server = createServer((request, response) => {
    const wanted = basename(request.url ?? '', '.tar.gz');
    // Other servers may have packed other agents there.
    const archive = (existsSync(directory()) ? readdirSync(directory()) : []).find(
      (each) => each.endsWith('.tar.gz') && digestOf(join(directory(), each)) === wanted,
    );
    if (archive === undefined) response.writeHead(404).end();
    else createReadStream(join(directory(), archive)).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    url: `http://${hostSeenByContainers()}:${port}/{sha256}.tar.gz`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Asked of the bridge itself: the engine does not always say it, and Node tells only of interfaces that carry something. */
function hostSeenByContainers(): string {
  const shown = execFileSync('ip', ['-4', '-o', 'addr', 'show', 'docker0'], { encoding: 'utf8' });
  const [, address] = /inet ([0-9.]+)/.exec(shown) ?? [];
  if (address === undefined) throw new Error('the engine has no bridge docker0');
  return address;
}
