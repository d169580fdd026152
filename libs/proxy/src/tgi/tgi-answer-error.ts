/** The replica's answer is not one of TGI's; the message says how, beginning after "the replica's answer is wrong:". */
export class TgiAnswerError extends Error {
  override readonly name = 'TgiAnswerError';
}
