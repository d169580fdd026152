import type { ServerResponse } from 'node:http';
import { askReplica, type ReplicaAnswer } from '../ask-replica.js';
import type { Outcome } from '../exchange.js';
import { headerPairs } from '../headers/hop-by-hop.js';
import type { ReplicaSet } from '../replica-set.js';
import { ANSWER_ROOM, type AnswerRoom, NoRoomError } from './answer-room.js';
import { type AnswerName, chatAnswer } from './chat-answer.js';
import { type ChatFormat, chatPrompt } from './chat-prompt.js';
import type { ChatRequest } from './chat-request.js';
import { generateRequest, stopTexts } from './generate-request.js';
import { passErrorOn } from './pass-error-on.js';
import { readJson } from './read-json.js';
import { streamChat } from './stream-chat.js';
import { TgiAnswerError } from './tgi-answer-error.js';

export interface ChatExchange {
  readonly request: ChatRequest;
  readonly response: ServerResponse;
  readonly format: ChatFormat;
  readonly name: AnswerName;
  /** Of the client, for the replica, as a flat list. */
  readonly headers: readonly string[];
}

export type ChatOutcome =
  | Outcome
  /** Nothing was sent to the client: the replica's answer is none of TGI's. */
  | { readonly kind: 'wrong-answer'; readonly message: string; readonly group: string }
  /** Nothing was sent to the client: this process holds too many answers. */
  | { readonly kind: 'no-room'; readonly group: string };

/**
 * Asks a replica that speaks TGI's own API, and answers as the OpenAI API does.
 * @throws {ChatTemplateError} before anything is asked
 */
export async function answerChat(
  exchange: ChatExchange,
  replicas: ReplicaSet,
  now: () => number = Date.now,
  room: AnswerRoom = ANSWER_ROOM,
): Promise<ChatOutcome> {
  const { request, response, format } = exchange;
  const prompt = chatPrompt(request.messages, format);
  const body = JSON.stringify(generateRequest(request, prompt, format.eosToken));
  const gone = new AbortController();
  const abort = (): void => {
    if (!response.writableFinished) gone.abort(new Error('the client has gone'));
  };
  if (response.destroyed) return { kind: 'client-gone' };
  response.once('close', abort);
  try {
    const question = {
      path: request.stream === true ? '/generate_stream' : '/generate',
      headers: [...replicaHeaders(exchange.headers), 'Content-Type', 'application/json'],
      body,
      signal: gone.signal,
    };
    const asked = await askReplica(
      question,
      replicas,
      (answer) => take(answer, exchange, { signal: gone.signal, room }),
      now,
    );
    if (asked.kind !== 'taken') return asked;
    const { group, status, value: failure } = asked;
    if (failure === null) return { kind: 'answered', status, group };
    return failure instanceof NoRoomError
      ? { kind: 'no-room', group }
      : { kind: 'wrong-answer', message: failure.message, group };
  } finally {
    response.off('close', abort);
  }
}

/** Null: the client has its answer. Else why it cannot have the replica's. */
async function take(
  answer: ReplicaAnswer,
  exchange: ChatExchange,
  { signal, room }: { readonly signal: AbortSignal; readonly room: AnswerRoom },
): Promise<TgiAnswerError | NoRoomError | null> {
  const { request, response, name, format } = exchange;
  const stops = stopTexts(request, format.eosToken);
  try {
    if (answer.status !== 200) await passErrorOn(answer, response);
    else if (request.stream === true) {
      const includeUsage = request.stream_options?.include_usage === true;
      await streamChat(answer.body, { response, signal, chunks: { name, stops, includeUsage } });
    } else {
      const told = answer.headers['x-prompt-tokens'];
      const promptTokens = typeof told === 'string' ? told : undefined;
      const completion = chatAnswer(await readJson(answer.body, room), { name, stops, promptTokens });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(completion));
    }
    return null;
  } catch (error) {
    if (error instanceof TgiAnswerError || error instanceof NoRoomError) return error;
    throw error;
  }
}

/** About the body that the client sent and the one it would take; the replica gets and gives others. */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'content-encoding',
  'content-length',
  'content-type',
]);

function replicaHeaders(headers: readonly string[]): string[] {
  return [...headerPairs(headers)].filter(([name]) => !OF_THE_BODY.has(name.toLowerCase())).flat();
}
