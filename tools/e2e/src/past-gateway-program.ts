import type { TestHost } from '@dstack/test-hosts';

/** Whether the last request that a gateway's nginx answered for this name went to its replica past the gateway's program. */
export async function wentPastProgram(edge: TestHost, name: string): Promise<boolean> {
  const log = await edge.run('cat /var/lib/dstack-gateway/*/nginx/access.log');
  const last = log.split('\n').findLast((line) => line.includes(`"host":"${name}"`));
  return last !== undefined && /"tunnel":"[^"]+"\}$/.test(last);
}
