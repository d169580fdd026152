import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

export interface ServedAgents {
  /** For `DSTACK_AGENT_DOWNLOAD_URL`, as containers see it. */
  readonly url: string;
  /** Paths that were asked for. */
  readonly requests: readonly string[];
  close(): void;
}

/** Hands out what a server has packed, to containers of this machine's engine. @param directory asked at each request, as it may come later */
export async function serveAgents(directory: () => string): Promise<ServedAgents> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const name = basename(request.url ?? '');
    requests.push(name);
    const [archive] = existsSync(directory())
      ? readdirSync(directory()).filter((each) => each.endsWith('.tar.gz'))
      : [];
    if (archive === undefined) response.writeHead(404).end();
    else createReadStream(join(directory(), archive)).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    url: `http://${hostSeenByContainers()}:${port}/{version}-{arch}.tar.gz`,
    requests,
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
