import { request } from 'node:http';
import { ConnectorAgent } from '@dstack/agent-protocol';
import { Inject, Injectable } from '@nestjs/common';
import { JobPorts } from '../agents/job-ports.js';
import { type GrpcAnswer, grpcCall, type GrpcQuestion } from './grpc-call.js';
import type { ProbeTarget } from './probe-asker.js';

export interface ReplicaQuestion {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly maxBytes: number;
}

export interface ReplicaAnswer {
  readonly status: number;
  readonly text: string;
}

/** Asks a replica, by HTTP or gRPC, over the server's own way to its port. Its own class, so that tests can bring their own answers. */
export abstract class ReplicaHttp {
  /** @throws when nobody answers, or with more than `maxBytes` */
  abstract ask(target: ProbeTarget, question: ReplicaQuestion, signal: AbortSignal): Promise<ReplicaAnswer>;
  /** @throws when nobody answers, or does not speak gRPC */
  abstract call(target: ProbeTarget, question: GrpcQuestion, signal: AbortSignal): Promise<GrpcAnswer>;
}

@Injectable()
export class PortReplicaHttp extends ReplicaHttp {
  constructor(@Inject(JobPorts) private readonly ports: Pick<JobPorts, 'open'>) {
    super();
  }

  async ask(
    { instanceId, jobId, port }: ProbeTarget,
    { method, path, body, maxBytes }: ReplicaQuestion,
    signal: AbortSignal,
  ): Promise<ReplicaAnswer> {
    const stream = await this.ports.open(instanceId, jobId, port);
    // Some streams complain when they are cut off.
    stream.on('error', () => undefined);
    const sent = body === undefined ? null : JSON.stringify(body);
    const headers = { host: 'localhost', 'user-agent': 'dstack', ...(sent === null ? {} : jsonHeaders(sent)) };
    try {
      return await new Promise((resolve, reject) => {
        const agent = new ConnectorAgent(() => Promise.resolve(stream), { keepAlive: false });
        const outgoing = request({ agent, method, path, headers, signal });
        outgoing.once('error', reject);
        outgoing.once('response', (incoming) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          incoming.once('error', reject);
          incoming.on('data', (part: Buffer) => {
            bytes += part.length;
            if (bytes > maxBytes) outgoing.destroy(new Error(`its answer has more than ${maxBytes} bytes`));
            else parts.push(part);
          });
          incoming.once('end', () =>
            resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
          );
        });
        outgoing.end(sent ?? undefined);
      });
    } finally {
      stream.destroy();
    }
  }

  async call(
    { instanceId, jobId, port }: ProbeTarget,
    question: GrpcQuestion,
    signal: AbortSignal,
  ): Promise<GrpcAnswer> {
    const stream = await this.ports.open(instanceId, jobId, port);
    return grpcCall(stream, question, signal);
  }
}

function jsonHeaders(text: string): Record<string, string> {
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
}
