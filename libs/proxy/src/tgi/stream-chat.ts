import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { ChatChunks, type ChunkOptions } from './chat-chunks.js';
import { commentEvent, dataEvent, eventData } from './event-stream.js';
import { type StreamEvent, streamEvent } from './stream-event.js';
import { TgiAnswerError } from './tgi-answer-error.js';

export interface ChatStream {
  readonly response: ServerResponse;
  /** The client has gone. */
  readonly signal: AbortSignal;
  readonly chunks: ChunkOptions;
}

/**
 * The stream of `/generate_stream` as chunks. The client's headers wait for the first event, so that what fails until then has a status.
 * @throws {TgiAnswerError} before anything was sent
 */
export async function streamChat(body: AsyncIterable<Uint8Array>, stream: ChatStream): Promise<void> {
  const { response, signal } = stream;
  const events = streamEvents(body);
  const first = await events.next();
  if (first.done === true) throw new TgiAnswerError('its stream has no event');
  if (first.value.kind === 'error') {
    const { status, body: told } = first.value;
    response.writeHead(status, { 'content-type': 'application/json' }).end(told);
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  try {
    await sendChunks(first.value, events, stream);
  } catch (error) {
    if (signal.aborted) throw error;
    response.end(commentEvent(error instanceof Error ? error.message : String(error)));
  }
}

async function sendChunks(
  first: StreamEvent,
  events: AsyncGenerator<StreamEvent>,
  { response, signal, chunks: options }: ChatStream,
): Promise<void> {
  const chunks = new ChatChunks(options);
  const send = async (...values: readonly object[]): Promise<void> => {
    const text = values.map((value) => dataEvent(JSON.stringify(value))).join('');
    if (text !== '' && !response.write(text)) await once(response, 'drain', { signal });
  };
  await send(chunks.first());
  for (let event: StreamEvent | null = first; event !== null; event = await nextOf(events)) {
    if (event.kind === 'error') throw new TgiAnswerError(event.message);
    await send(...chunks.next(event));
    if (event.end === null) continue;
    response.end(dataEvent('[DONE]'));
    return;
  }
  throw new TgiAnswerError('The replica ended its stream before its answer was complete');
}

async function* streamEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  for await (const data of eventData(body)) yield streamEvent(data);
}

async function nextOf(events: AsyncGenerator<StreamEvent>): Promise<StreamEvent | null> {
  const next = await events.next();
  return next.done === true ? null : next.value;
}
