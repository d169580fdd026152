import type { SshTarget } from './ssh-target.js';

export function describeTarget({ user, host, port }: SshTarget): string {
  return `${user}@${host.includes(':') ? `[${host}]` : host}:${port}`;
}
