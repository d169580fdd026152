export type SshFailureKind =
  'unreachable' | 'auth-refused' | 'host-key-changed' | 'bad-key' | 'jump-failed' | 'disconnected' | 'timeout';

/** `kind` decides, the message tells a person which host and what to do; never holds a key. */
export class SshError extends Error {
  override readonly name = 'SshError';
  constructor(
    readonly kind: SshFailureKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
