import { z } from 'zod';

/** The body cannot be asked of a model in TGI's format; the message is for who sent it. */
export class ChatRequestError extends Error {
  override readonly name = 'ChatRequestError';
}

/** Each piece of a stream is compared with all of them. */
const MOST_STOPS = 16;
const LONGEST_STOP = 1024;
const STOP = z.string().max(LONGEST_STOP);

const REQUEST = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
  frequency_penalty: z.number().nullish(),
  max_tokens: z.int().nullish(),
  n: z.int().min(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([STOP, z.array(STOP).max(MOST_STOPS)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().nullish(),
  tool_choice: z.unknown().optional(),
  tools: z.array(z.unknown()).nullish(),
  top_p: z.number().nullish(),
});

/** Of the body of `chat/completions`, what is translated. */
export type ChatRequest = z.infer<typeof REQUEST>;

/** @throws {ChatRequestError} */
export function parseChatRequest(body: unknown): ChatRequest {
  const { success, data, error } = REQUEST.safeParse(body);
  if (!success) {
    const [issue] = error.issues;
    throw new ChatRequestError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'cannot be read'}`);
  }
  if (data.stream === true && (data.n ?? 1) > 1) throw new ChatRequestError('n: a stream has one answer only');
  if ((data.tools ?? []).length > 0 && data.tool_choice !== 'none')
    throw new ChatRequestError('tools: models in the format of TGI are asked without tools');
  return data;
}
