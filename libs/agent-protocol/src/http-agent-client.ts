import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AgentApi, AgentRequestError, AgentUnreachableError } from './agent-api.js';
import { type Connect, connectToSocket, ConnectorAgent } from './agent-connector.js';
import type { AgentInfo } from './agent-info.js';
import { type AgentRequest, openReply, readJson } from './agent-request.js';
import type { ControlEvent, DesiredReply, PowerOffOrder } from './control-event.js';
import type { JobStart } from './job-start.js';
import type { JobState, LogStream, StopRequest } from './job-state.js';
import { type LogFrame, LogFrameDecoder } from './log-frame.js';
import { openTunnel } from './open-tunnel.js';
import { readChunks } from './read-stream.js';
import { EPOCH_HEADER } from './version.js';

export interface AgentClientOptions {
  /** Path of the agent's socket, or how to open a stream to it. */
  readonly connect: Connect | string;
  /** Epoch of the connection lease; read at each request, so that a renewed lease needs no new client. */
  readonly epoch: number | (() => number);
  /** For one reply's head, unless the call says otherwise. Default 15 s. */
  readonly deadlineMs?: number;
  /** A stream without a byte for this long is broken (heartbeats come every 5 s). Default 20 s. */
  readonly silenceLimitMs?: number;
}

export function createAgentClient(options: AgentClientOptions): HttpAgentClient {
  return new HttpAgentClient(options);
}

const UPLOAD_DEADLINE_MS = 10 * 60_000;
const REMOVE_DEADLINE_MS = 60_000;

export class HttpAgentClient implements AgentApi {
  private readonly pooled: Agent;
  private readonly streaming: Agent;
  private readonly epoch: () => number;
  private readonly deadlineMs: number;
  private readonly silenceLimitMs: number;

  constructor(options: AgentClientOptions) {
    const connect = typeof options.connect === 'string' ? connectToSocket(options.connect) : options.connect;
    this.pooled = new ConnectorAgent(connect, { keepAlive: true, maxSockets: 4, maxFreeSockets: 1 });
    this.streaming = new ConnectorAgent(connect, { keepAlive: false });
    const { epoch } = options;
    this.epoch = typeof epoch === 'number' ? () => epoch : epoch;
    this.deadlineMs = options.deadlineMs ?? 15_000;
    this.silenceLimitMs = options.silenceLimitMs ?? 20_000;
  }

  info(signal: AbortSignal): Promise<AgentInfo> {
    return this.json('GET', '/v1/info', undefined, signal);
  }

  desire(jobIds: readonly string[], signal: AbortSignal): Promise<DesiredReply> {
    return this.json('PUT', '/v1/desired', { jobIds }, signal);
  }

  async armPowerOff(afterSeconds: number | null, signal: AbortSignal): Promise<boolean> {
    try {
      await this.json<unknown>('PUT', '/v1/power-off', { afterSeconds } satisfies PowerOffOrder, signal);
      return true;
    } catch (error) {
      if (error instanceof AgentRequestError && error.code === 'not_found') return false;
      throw error;
    }
  }

  start(job: JobStart, signal: AbortSignal): Promise<JobState> {
    return this.json('PUT', jobPath(job.id), job, signal);
  }

  async uploadBlob(jobId: string, sha256: string, content: Uint8Array, signal: AbortSignal): Promise<void> {
    const reply = await openReply({
      ...this.base('PUT', `${jobPath(jobId)}/blobs/${encodeURIComponent(sha256)}`, signal),
      headers: { ...this.headers(), 'content-type': 'application/octet-stream' },
      body: content,
      deadlineMs: UPLOAD_DEADLINE_MS,
    });
    await readJson(reply);
  }

  stop(jobId: string, request: StopRequest, signal: AbortSignal): Promise<JobState> {
    return this.json('POST', `${jobPath(jobId)}/stop`, request, signal);
  }

  async remove(jobId: string, signal: AbortSignal): Promise<void> {
    const reply = await openReply({ ...this.base('DELETE', jobPath(jobId), signal), deadlineMs: REMOVE_DEADLINE_MS });
    await readJson(reply);
  }

  async *events(signal: AbortSignal): AsyncGenerator<ControlEvent> {
    const reply = await openReply({ ...this.base('GET', '/v1/events', signal), agent: this.streaming });
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of readChunks(reply, this.silenceLimitMs, signal)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as ControlEvent;
    }
    throw new AgentUnreachableError('the agent closed the control stream');
  }

  async *logs(
    jobId: string,
    stream: LogStream,
    offset: number,
    windowBytes: number,
    signal: AbortSignal,
  ): AsyncGenerator<LogFrame> {
    const path = `${jobPath(jobId)}/logs?stream=${stream}&offset=${offset}&window=${windowBytes}`;
    const reply = await openReply({ ...this.base('GET', path, signal), agent: this.streaming });
    const decoder = new LogFrameDecoder();
    for await (const chunk of readChunks(reply, this.silenceLimitMs, signal)) {
      for (const frame of decoder.push(chunk)) if (frame.payload.length > 0) yield frame;
    }
  }

  async acknowledgeLogs(jobId: string, stream: LogStream, offset: number, signal: AbortSignal): Promise<void> {
    await this.json<unknown>('POST', `${jobPath(jobId)}/logs/ack`, { stream, offset }, signal);
  }

  /** Raw bytes to and from a port of the job, as seen from inside it. Data, not control: needs no epoch. */
  openTcp(jobId: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const path = `${jobPath(jobId)}/tcp/${port}`;
    return openTunnel({ agent: this.streaming, path, headers: {}, signal, deadlineMs: this.deadlineMs });
  }

  acceptServerConnection(jobId: string, signal: AbortSignal): Promise<Duplex> {
    const path = `${jobPath(jobId)}/server`;
    return openTunnel({ agent: this.streaming, path, headers: this.headers(), signal, deadlineMs: null });
  }

  /** Drops pooled connections. Streams end by their own signals. */
  close(): void {
    this.pooled.destroy();
    this.streaming.destroy();
  }

  private async json<T>(method: AgentRequest['method'], path: string, body: unknown, signal: AbortSignal): Promise<T> {
    const base = this.base(method, path, signal);
    const reply = await openReply(
      body === undefined
        ? base
        : {
            ...base,
            headers: { ...base.headers, 'content-type': 'application/json' },
            body: Buffer.from(JSON.stringify(body)),
          },
    );
    // The agent is one of ours, of a version both sides agreed on.
    return (await readJson(reply)) as T;
  }

  private base(method: AgentRequest['method'], path: string, signal: AbortSignal): AgentRequest {
    return { agent: this.pooled, method, path, headers: this.headers(), signal, deadlineMs: this.deadlineMs };
  }

  private headers(): Record<string, string> {
    return { [EPOCH_HEADER]: String(this.epoch()) };
  }
}

function jobPath(jobId: string): string {
  return `/v1/jobs/${encodeURIComponent(jobId)}`;
}
