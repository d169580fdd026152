import type { Wire } from '@dstack/core';
import { z } from 'zod';
import { finishReason } from './finish-reason.js';
import { trimStop } from './stop-text.js';
import { TgiAnswerError } from './tgi-answer-error.js';

/** What an answer is called, chosen by who asks. */
export interface AnswerName {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
}

const SEQUENCE = z.object({ finish_reason: z.string(), generated_tokens: z.int() });
const ANSWER = z.object({
  generated_text: z.string(),
  details: SEQUENCE.extend({
    prefill: z.array(z.unknown()),
    best_of_sequences: z.array(SEQUENCE.extend({ generated_text: z.string() })).nullish(),
  }),
});

export interface AnswerOptions {
  readonly name: AnswerName;
  readonly stops: readonly string[];
  /** Of the header `x-prompt-tokens`: TGI 3 lists the prompt's tokens only where it was started with `--enable-prefill-logprobs`. */
  readonly promptTokens: string | undefined;
}

/**
 * The answer of `/generate` as the OpenAI API has it.
 * @throws {TgiAnswerError}
 */
export function chatAnswer(
  body: unknown,
  { name: { id, created, model }, stops, promptTokens }: AnswerOptions,
): Wire.ChatCompletionsResponse {
  const { success, data } = ANSWER.safeParse(body);
  if (!success) throw new TgiAnswerError('it has no generated text with details');
  const { details, generated_text } = data;
  const sequences = [{ ...details, generated_text }, ...(details.best_of_sequences ?? [])];
  const prompt = details.prefill.length || wholeNumber(promptTokens);
  const completion = sequences.reduce((sum, each) => sum + each.generated_tokens, 0);
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    system_fingerprint: '',
    choices: sequences.map((each, index) => ({
      index,
      finish_reason: finishReason(each.finish_reason),
      message: { role: 'assistant', content: trimStop(each.generated_text, stops) },
    })),
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

function wholeNumber(text: string | undefined): number {
  return /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
}
