export interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** meta/v1 Status, as the API server says no. */
export function failure(code: number, reason: string, message: string): Answer {
  return {
    status: code,
    body: { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', message, reason, code },
  };
}

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.answer = failure(status, reason, message);
  }
}
