export type HostProblem =
  | 'not-linux'
  | 'unsupported-architecture'
  | 'no-sudo'
  | 'no-forwarding'
  | 'owned-by-another-server'
  | 'disk-full'
  | 'clock-off'
  | 'mixed-gpus'
  | 'gpu-driver'
  | 'let-go'
  | 'upload-failed'
  | 'agent-failed';

/** `lasting`: the same next time unless somebody changes the host; the message says which host, what is wrong and what to do. */
export class HostProblemError extends Error {
  override readonly name = 'HostProblemError';
  constructor(
    readonly problem: HostProblem,
    readonly lasting: boolean,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
