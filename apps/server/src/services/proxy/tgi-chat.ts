import { type ChatFormat, type ChatRequest, ChatRequestError, parseChatRequest } from '@dstack/proxy';
import type { ModelApi } from './find-models.js';
import type { ProxyReply } from './proxy-reply.js';

type TgiApi = Extract<ModelApi, { format: 'tgi' }>;

export interface TgiChat {
  readonly request: ChatRequest;
  readonly format: ChatFormat;
}

/** What is to be asked of a model in TGI's format, or why it cannot be. */
export function tgiChat(model: string, { chatTemplate, eosToken }: TgiApi, body: unknown): TgiChat | ProxyReply {
  const missing = [chatTemplate === null ? 'chat_template' : null, eosToken === null ? 'eos_token' : null];
  if (chatTemplate === null || eosToken === null) {
    const names = missing.filter((name) => name !== null).join(' and ');
    return {
      status: 501,
      title: 'Not Implemented',
      detail: `The service of the model ${model} does not tell how to speak to it: set ${names} under model in its configuration (both are in the model's tokenizer_config.json) and apply it again`,
    };
  }
  try {
    return { request: parseChatRequest(body), format: { chatTemplate, eosToken } };
  } catch (error) {
    if (error instanceof ChatRequestError) return badRequest(error);
    throw error;
  }
}

export function badRequest(error: Error): ProxyReply {
  return { status: 400, title: 'Bad Request', detail: error.message };
}
