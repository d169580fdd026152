import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ENVIRONMENT } from './run-program.js';

const PROGRAMS = ['ip', 'unshare', 'nsenter', 'pivot_root', 'ssh-keygen', 'sshd', 'sudo', 'useradd'];

let reason: string | null | undefined;

/** Why there can be no test hosts here; null when there can. */
export function whyNoTestHosts(): string | null {
  reason ??= findReason();
  return reason;
}

export function canHaveTestHosts(): boolean {
  return whyNoTestHosts() === null;
}

function findReason(): string | null {
  if (process.platform !== 'linux') return 'test hosts are Linux namespaces, and this is not Linux';
  if (process.getuid?.() !== 0) return 'test hosts need root';
  const missing = PROGRAMS.filter((program) => !isThere(program));
  if (missing.length > 0) return `test hosts need ${missing.join(', ')}`;
  try {
    execFileSync('unshare', ['--mount', '--net', '--uts', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], {
      env: ENVIRONMENT,
      stdio: 'ignore',
    });
    return null;
  } catch {
    return 'this root may not make namespaces and mounts';
  }
}

function isThere(program: string): boolean {
  return ENVIRONMENT.PATH.split(':').some((directory) => existsSync(`${directory}/${program}`));
}
