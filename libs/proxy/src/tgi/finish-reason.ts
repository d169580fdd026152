import { TgiAnswerError } from './tgi-answer-error.js';

/**
 * Why a model stopped, in the words of the OpenAI API.
 * @throws {TgiAnswerError}
 */
export function finishReason(reason: string): 'stop' | 'length' {
  switch (reason) {
    case 'stop_sequence':
    case 'eos_token':
      return 'stop';
    case 'length':
      return 'length';
    default:
      throw new TgiAnswerError(`${JSON.stringify(reason)} is no reason to finish`);
  }
}
