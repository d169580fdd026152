export { fingerprint } from './host-key.js';
export { isForbidden } from './is-forbidden.js';
export { openSshConnection, type OpenOptions } from './open-ssh-connection.js';
export { SshError, type SshFailureKind } from './ssh-failure.js';
export type { ExecOptions, ExecResult, SshConnection } from './ssh-connection.js';
export type { SshTarget } from './ssh-target.js';
