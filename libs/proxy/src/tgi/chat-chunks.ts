import type { Wire } from '@dstack/core';
import type { AnswerName } from './chat-answer.js';
import { finishReason } from './finish-reason.js';
import { StopHold } from './stop-text.js';
import type { StreamEvent } from './stream-event.js';

/** The contract's chunk; a last one tells the usage to who asked for it, as the OpenAI API has it. */
type Chunk = Wire.ChatCompletionsChunk & { readonly usage?: Wire.ChatCompletionsUsage };
type TokenEvent = Extract<StreamEvent, { kind: 'token' }>;

export interface ChunkOptions {
  readonly name: AnswerName;
  readonly stops: readonly string[];
  readonly includeUsage: boolean;
}

/** The chunks of one streamed answer. */
export class ChatChunks {
  private readonly hold: StopHold;

  constructor(private readonly options: ChunkOptions) {
    this.hold = new StopHold(options.stops);
  }

  first(): Chunk {
    return this.chunk({ role: 'assistant', content: '' });
  }

  /** @throws {TgiAnswerError} */
  next({ text, end }: TokenEvent): Chunk[] {
    const sure = this.hold.push(text);
    const content = end === null ? sure : sure + this.hold.end();
    const chunks = content === '' ? [] : [this.chunk({ content })];
    if (end === null) return chunks;
    chunks.push(this.chunk({}, finishReason(end.reason)));
    const { generatedTokens, promptTokens } = end;
    if (this.options.includeUsage && promptTokens !== null) {
      const usage = {
        prompt_tokens: promptTokens,
        completion_tokens: generatedTokens,
        total_tokens: promptTokens + generatedTokens,
      };
      chunks.push({ ...this.chunk({}), choices: [], usage });
    }
    return chunks;
  }

  private chunk(delta: { role?: 'assistant'; content?: string }, finish: string | null = null): Chunk {
    const { id, created, model } = this.options.name;
    const choice = { index: 0, delta, logprobs: {}, finish_reason: finish };
    return { id, object: 'chat.completion.chunk', created, model, system_fingerprint: '', choices: [choice] };
  }
}
