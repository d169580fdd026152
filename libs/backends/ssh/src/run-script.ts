import type { ExecResult } from '@dstack/ssh';
import { HostProblemError } from './host-problem.js';
import type { HostRequest } from './host-request.js';

const BEGIN = 'dstack-script-begins';
/** Nothing else in our scripts ends with it. */
const NO_SUDO = 97;

export interface ScriptResult {
  readonly exitCode: number | null;
  /** What the script itself printed, without banners and what shell start-up files say. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a POSIX shell script on the host as the user who logs in. It goes through stdin: no quoting that the user's login shell (which
 * may be any) could get wrong, and nothing of it in the list of processes.
 */
export async function runScript({ connection, signal }: HostRequest, script: string): Promise<ScriptResult> {
  // A function, as a shell reads all of it before it runs any: what the script starts cannot eat the rest of it.
  const stdin = `echo; echo ${BEGIN}\nmain() (\n${script}\n)\nmain </dev/null\nexit $?\n`;
  const result = await connection.exec('sh -s', { signal, stdin });
  return { ...result, stdout: afterMark(result) };
}

/** As root, under `set -eu`. @throws {HostProblemError} `no-sudo` */
export async function runRootScript(request: HostRequest, script: string): Promise<ScriptResult> {
  const result = await runScript(request, becomeRoot(script));
  if (result.exitCode !== NO_SUDO) return result;
  throw new HostProblemError(
    'no-sudo',
    true,
    `${request.hostname}: the user can no longer become root without a password (${result.stderr.trim().slice(-300)}). ` +
      'Allow it with a NOPASSWD line in /etc/sudoers.d on the host',
  );
}

/** Gives stdout. @throws {HostProblemError} `agent-failed` with its own words when it exits with another code than 0 */
export async function mustRunRootScript(request: HostRequest, script: string, what: string): Promise<string> {
  const result = await runRootScript(request, script);
  if (result.exitCode === 0) return result.stdout;
  throw new HostProblemError('agent-failed', false, `${request.hostname}: ${what} failed: ${wordsOf(result)}`);
}

export function wordsOf({ exitCode, stderr }: ScriptResult): string {
  return stderr.trim().slice(-1000) || `exit code ${exitCode ?? 'unknown'}, without a word`;
}

function becomeRoot(script: string): string {
  return `
become=
if [ "$(id -u)" -ne 0 ]; then
  become='sudo -n'
  sudo -n true >&2 || exit ${NO_SUDO}
fi
$become sh -s <<'DSTACK_ROOT_SCRIPT'
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
main() (
set -eu
umask 022
cd /
${script}
)
main </dev/null
exit $?
DSTACK_ROOT_SCRIPT
`;
}

function afterMark({ stdout }: ExecResult): string {
  const at = stdout.indexOf(`\n${BEGIN}\n`);
  return at < 0 ? '' : stdout.slice(at + BEGIN.length + 2);
}
