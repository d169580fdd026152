import { SshError } from './ssh-failure.js';

/** What went wrong on the way to an authenticated connection, in words that say what to check. `where` is user@host:port. */
export function toConnectError(error: unknown, where: string): SshError {
  if (error instanceof SshError) return error;
  const { level, code, message } = error as { level?: string; code?: string; message: string }; // ssh2's and Node's errors
  const options = { cause: error };
  if (level === 'client-authentication')
    return new SshError(
      'auth-refused',
      `${where} refused every key: check the user and that the public key is in its ~/.ssh/authorized_keys`,
      options,
    );
  if (level === 'client-timeout' || code === 'ETIMEDOUT')
    return new SshError(
      'timeout',
      `${where} did not answer in time: check the address, the port and firewalls`,
      options,
    );
  if (/host key format/i.test(message))
    return new SshError(
      'host-key-changed',
      `${where} no longer has a host key of the kind it had before: if that is expected, remove the host and add it again`,
      options,
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new SshError('unreachable', `${where}: the name cannot be resolved (${code})`, options);
  if (code === 'ECONNREFUSED')
    return new SshError(
      'unreachable',
      `${where} refused the connection: check that sshd listens on this port`,
      options,
    );
  return new SshError('unreachable', `${where} cannot be reached: ${message}`, options);
}
