import { SshError } from './ssh-failure.js';

/** RFC 4254, 5.1: the server would not try, whatever the target. OpenSSH says so of TCP ports, of unix sockets it does not. */
const ADMINISTRATIVELY_PROHIBITED = 1;

/** Whether a channel was not opened because the host's sshd does not forward such channels. */
export function isForbidden(error: unknown): boolean {
  if (!(error instanceof SshError) || typeof error.cause !== 'object' || error.cause === null) return false;
  return 'reason' in error.cause && error.cause.reason === ADMINISTRATIVELY_PROHIBITED;
}
