import type { ChatRequest } from './chat-request.js';

/** The body of TGI's `/generate` and `/generate_stream`; what is left out has the replica's own default. */
export interface GenerateRequest {
  readonly inputs: string;
  readonly parameters: {
    readonly best_of?: number;
    readonly decoder_input_details?: boolean;
    readonly details: true;
    readonly do_sample: boolean;
    readonly frequency_penalty?: number;
    readonly max_new_tokens?: number;
    readonly seed?: number;
    readonly stop: readonly string[];
    readonly temperature?: number;
    readonly top_p?: number;
  };
}

export function generateRequest(request: ChatRequest, prompt: string, eosToken: string): GenerateRequest {
  const { frequency_penalty, max_tokens, n, seed, temperature, top_p } = request;
  // TGI refuses a temperature of 0, which asks for the likeliest token each time.
  const isGreedy = temperature === 0;
  return {
    inputs: prompt,
    parameters: {
      details: true,
      do_sample: !isGreedy,
      stop: stopTexts(request, eosToken),
      // A stream has no place for the prompt's tokens; TGI refuses the wish.
      ...(request.stream === true ? {} : { decoder_input_details: true }),
      ...(n == null ? {} : { best_of: n }),
      ...(frequency_penalty == null || frequency_penalty === 0 ? {} : { frequency_penalty }),
      ...(max_tokens == null ? {} : { max_new_tokens: max_tokens }),
      ...(seed == null ? {} : { seed }),
      ...(temperature == null || isGreedy ? {} : { temperature }),
      // TGI takes values below 1 only; 1 is no limit.
      ...(top_p == null || top_p >= 1 ? {} : { top_p }),
    },
  };
}

/** What ends an answer, and is no part of it. */
export function stopTexts({ stop }: ChatRequest, eosToken: string): readonly string[] {
  const own = typeof stop === 'string' ? [stop] : (stop ?? []);
  return own.includes(eosToken) ? own : [...own, eosToken];
}
