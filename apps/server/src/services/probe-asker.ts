import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { AgentUnreachableError, ConnectorAgent } from '@dstack/agent-protocol';
import type { Probe, Wire } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { JobPorts } from '../agents/job-ports.js';

export interface ProbeTarget {
  readonly jobId: string;
  readonly instanceId: string;
  readonly port: number;
}

/** `unknown`: this server cannot reach the host, which says nothing about the replica. */
export type ProbeAnswer = 'yes' | 'no' | 'unknown';

/** Asks a replica one question. Its own class, so that a simulated world can bring its own answers. */
export abstract class ProbeAsker {
  /** @param probe null: only whether anybody listens */
  abstract ask(probe: Probe | null, target: ProbeTarget, signal: AbortSignal): Promise<ProbeAnswer>;
}

@Injectable()
export class HttpProbeAsker extends ProbeAsker {
  constructor(@Inject(JobPorts) private readonly ports: Pick<JobPorts, 'open'>) {
    super();
  }

  async ask(probe: Probe | null, target: ProbeTarget, stop: AbortSignal): Promise<ProbeAnswer> {
    try {
      const stream = await this.ports.open(target.instanceId, target.jobId, target.port);
      // Some streams complain when they are cut off.
      stream.on('error', () => undefined);
      if (probe === null) {
        stream.destroy();
        return 'yes';
      }
      const signal = AbortSignal.any([stop, AbortSignal.timeout(probe.timeout * 1000)]);
      const status = await exchange(probe, stream, signal).finally(() => stream.destroy());
      // Where a redirection leads to is not the replica that was asked.
      return status >= 200 && status < 300 ? 'yes' : 'no';
    } catch (error) {
      return stop.aborted || error instanceof AgentUnreachableError ? 'unknown' : 'no';
    }
  }
}

/** Until the answer has ended; gives its status. */
function exchange(probe: Probe, stream: Duplex, signal: AbortSignal): Promise<number> {
  const { url, method, headers, body } = probe;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      agent: new ConnectorAgent(() => Promise.resolve(stream), { keepAlive: false }),
      method: method.toUpperCase(),
      // What a person may have written, as a request may say it.
      path: url.replace(/[^\x21-\x7e]/gu, encodeURIComponent),
      headers: { host: 'localhost', 'user-agent': 'dstack-probe', ...merged(headers), ...lengthOf(body) },
      signal,
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      incoming.once('error', reject);
      incoming.once('end', () => resolve(incoming.statusCode ?? 0));
      incoming.resume();
    });
    outgoing.end(body ?? undefined);
  });
}

/** The names as they are written; one that stands there twice is sent twice. */
function merged(headers: readonly Wire.HTTPHeaderSpec[]): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const { name, value } of headers) values[name.toLowerCase()] = [...(values[name.toLowerCase()] ?? []), value];
  return values;
}

function lengthOf(body: string | null): Record<string, string> {
  return body ? { 'content-length': String(Buffer.byteLength(body)) } : {};
}
