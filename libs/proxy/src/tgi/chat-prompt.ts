import { runInNewContext } from 'node:vm';
import { Template } from '@huggingface/jinja';
import type { Wire } from '@dstack/core';

/** What the service says of its model. */
export interface ChatFormat {
  /** Jinja, as in `tokenizer_config.json` of the model. */
  readonly chatTemplate: string;
  /** Ends what the model says. */
  readonly eosToken: string;
}

/** The template cannot be used, or refuses the conversation; the message is for who asked. */
export class ChatTemplateError extends Error {
  override readonly name = 'ChatTemplateError';
}

/** Templates come from users, and a loop in one must not keep the process. */
const LONGEST_MS = 250;
/** Characters: a template that doubles its text has half a gigabyte in a moment. */
const LONGEST_PROMPT = 32 * 1024 * 1024;
const TIMEOUT = 'ERR_SCRIPT_EXECUTION_TIMEOUT';

/**
 * The text that the model goes on with. Templates reach nothing but the conversation; the model's first token is added by TGI itself.
 * @throws {ChatTemplateError}
 */
export function chatPrompt(messages: readonly Wire.ChatMessage[], { chatTemplate, eosToken }: ChatFormat): string {
  const render = (): string =>
    new Template(chatTemplate).render({
      messages,
      add_generation_prompt: true,
      bos_token: '',
      eos_token: eosToken,
    });
  const prompt = rendered(render);
  if (prompt.length > LONGEST_PROMPT)
    throw new ChatTemplateError(`The chat template of the model makes more than ${LONGEST_PROMPT} characters of it`);
  return prompt;
}

function rendered(render: () => string): string {
  try {
    return String(runInNewContext('render()', { render }, { timeout: LONGEST_MS }));
  } catch (error) {
    throw new ChatTemplateError(`The chat template of the model ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const isLate = typeof error === 'object' && error !== null && 'code' in error && error.code === TIMEOUT;
  if (isLate) return `takes longer than ${LONGEST_MS} ms`;
  return error instanceof Error ? `failed: ${error.message}` : 'failed';
}
