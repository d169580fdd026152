import { z } from 'zod';
import { TgiAnswerError } from './tgi-answer-error.js';

const ERROR = z.object({ error: z.string(), error_type: z.string().nullish() });
const TOKEN = z.object({
  token: z.object({ text: z.string(), special: z.boolean() }),
  details: z
    .object({ finish_reason: z.string(), generated_tokens: z.int(), input_length: z.int().nullish() })
    .nullish(),
});

export type StreamEvent =
  | { readonly kind: 'token'; readonly text: string; readonly end: StreamEnd | null }
  /** The replica gave up, though it had answered 200 before. */
  | { readonly kind: 'error'; readonly status: number; readonly body: string; readonly message: string };

export interface StreamEnd {
  readonly reason: string;
  readonly generatedTokens: number;
  /** Of the prompt; older versions of TGI do not tell. */
  readonly promptTokens: number | null;
}

/** What TGI answers outside of streams; in one it has answered 200 before it looks at the request. */
const STATUS_OF_ERROR: ReadonlyMap<string, number> = new Map([
  ['validation', 422],
  ['generation', 424],
  ['overloaded', 429],
  ['incomplete_generation', 500],
]);

/**
 * One event of `/generate_stream`.
 * @throws {TgiAnswerError}
 */
export function streamEvent(text: string): StreamEvent {
  const data = json(text);
  const failed = ERROR.safeParse(data);
  if (failed.success) {
    const status = STATUS_OF_ERROR.get(failed.data.error_type ?? '') ?? 502;
    return { kind: 'error', status, body: text, message: failed.data.error };
  }
  const event = TOKEN.safeParse(data);
  if (!event.success) throw new TgiAnswerError('an event of its stream has no token');
  const { token, details } = event.data;
  return {
    kind: 'token',
    text: token.special ? '' : token.text,
    end: details
      ? {
          reason: details.finish_reason,
          generatedTokens: details.generated_tokens,
          promptTokens: details.input_length ?? null,
        }
      : null,
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TgiAnswerError('an event of its stream is no JSON');
  }
}
