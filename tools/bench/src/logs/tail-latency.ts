import { LogFrameDecoder } from '@dstack/agent-protocol';

/** Prints when it is, every 50 ms, until a file is there. */
export const tickCommand = (until: string): string =>
  `until [ -e ${until} ]; do echo "tick $(date +%s%3N)"; sleep 0.05; done`;

export interface Tick {
  /** When it was written, Unix ms. */
  readonly at: number;
  /** How many ms later it came. */
  readonly late: number;
}

/** Follows the log of a run that `tickCommand` writes, to its end. */
export async function followTicks(url: string, token: string, run: string): Promise<Tick[]> {
  const reply = await fetch(`${url}/api/project/main/runs/${run}/logs/stream?follow=true`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!reply.ok || reply.body === null) throw new Error(`the log of ${run} cannot be followed: ${reply.status}`);
  const decoder = new LogFrameDecoder();
  const ticks: Tick[] = [];
  let rest = '';
  for await (const chunk of reply.body) {
    const bytes = chunk as Uint8Array; // a body is bytes; its type does not say so
    const now = Date.now();
    const text = decoder.push(bytes).map(({ payload }) => Buffer.from(payload).toString('latin1'));
    const lines = (rest + text.join('')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const at = Number(/^tick (\d+)/.exec(line)?.[1] ?? Number.NaN);
      if (!Number.isNaN(at)) ticks.push({ at, late: now - at });
    }
  }
  return ticks;
}
