import { basename } from 'node:path';

/** argv after the shell's own name. */
export interface ShellCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The variables a client may set: how it wants text shown, nothing that changes what runs. */
export function mayClientSet(name: string): boolean {
  return /^(LANG|LC_[A-Z_]+|COLORTERM|NO_COLOR)$/.test(name);
}

/**
 * A login shell reads `/etc/profile`, which on most images sets PATH anew. The job's own entries are put back in front, so
 * that a person finds the programs the job has.
 */
export function interactiveShell(shell: string, env: Readonly<Record<string, string>>): ShellCommand {
  const withPath = env['PATH'] === undefined ? env : { ...env, DSTACK_JOB_PATH: env['PATH'] };
  const keepPath =
    'if [ -n "$DSTACK_JOB_PATH" ]; then PATH="$DSTACK_JOB_PATH:$PATH"; export PATH; fi; unset DSTACK_JOB_PATH';
  switch (basename(shell)) {
    case 'bash':
    case 'zsh':
    case 'ksh':
      return { args: ['-l', '-c', `${keepPath}; exec "$0" -i`, shell], env: withPath };
    case 'sh':
    case 'dash':
    case 'ash': {
      // Older dash knows no -l.
      const profiles = '[ -r /etc/profile ] && . /etc/profile; [ -r "$HOME/.profile" ] && . "$HOME/.profile"';
      return { args: ['-c', `${profiles}; ${keepPath}; exec "$0" -i`, shell], env: withPath };
    }
    default:
      return { args: ['-l'], env };
  }
}

export function commandLine(command: string, env: Readonly<Record<string, string>>): ShellCommand {
  return { args: ['-c', command], env };
}
