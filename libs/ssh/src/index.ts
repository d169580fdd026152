export { SshError, type SshFailureKind } from './ssh-failure.js';
export type { ExecResult, SshConnection } from './ssh-connection.js';
export type { SshTarget } from './ssh-target.js';
