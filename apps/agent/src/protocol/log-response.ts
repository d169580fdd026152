import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { encodeLogFrame, encodeLogFrameHeader, type LogFrame } from '@dstack/agent-protocol';
import type { JobLog } from '../spool/job-log.js';

export interface LogRequest {
  readonly offset: number;
  readonly windowBytes: number;
}

export async function sendLog(
  log: JobLog,
  request: LogRequest,
  response: ServerResponse,
  superseded: AbortSignal,
  heartbeatMs: number,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const ended = AbortSignal.any([gone.signal, superseded]);
  response.writeHead(200, { 'content-type': 'application/x-dstack-log' });
  response.flushHeaders();
  let position = request.offset;
  const heartbeat = setInterval(() => {
    if (response.writableLength === 0)
      response.write(encodeLogFrame({ endOffset: position, at: Date.now(), payload: new Uint8Array() }));
  }, heartbeatMs);
  try {
    for await (const frame of log.frames(request.offset, request.windowBytes, ended)) {
      position = frame.endOffset;
      if (!writeFrame(response, frame)) await once(response, 'drain', { signal: ended });
    }
    if (ended.aborted) response.destroy();
    else response.end();
  } catch {
    response.destroy();
  } finally {
    clearInterval(heartbeat);
  }
}

/** False when the reader has to catch up first. The two go out together: Node holds what is written until the end of the turn. */
function writeFrame(response: ServerResponse, { endOffset, at, payload }: LogFrame): boolean {
  response.write(encodeLogFrameHeader({ endOffset, at, payloadBytes: payload.length }));
  return response.write(payload);
}
