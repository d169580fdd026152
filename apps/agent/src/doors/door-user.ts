import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DOOR_HOME, DOOR_USER } from '@dstack/agent-protocol';
import { runCommand } from '../process/run-command.js';

export const DOOR_KEYS_DIR = join(DOOR_HOME, '.ssh');

const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };
/** Never started by a way through the host, but sshd wants the user's shell to exist. A password of `*` is none; `!` would lock the user out. */
const ADD = `
for shell in /usr/sbin/nologin /sbin/nologin /bin/false /usr/bin/false; do if [ -x "$shell" ]; then break; fi; done
if command -v useradd >/dev/null 2>&1; then
  useradd --system --user-group --no-create-home --home-dir "$2" --shell "$shell" --password '*' "$1"
else
  adduser -S -D -H -h "$2" -s "$shell" "$1" && echo "$1:*" | chpasswd -e >/dev/null
fi
`;

/**
 * The user whom people log in as on their way to a job: without rights, files, or a shell of its own, because a key that may forward at all
 * may open every unix socket that its user may open, and OpenSSH has no option against it. The directory is root's.
 * @throws when the host cannot have it, with what the host says
 */
export async function ensureDoorUser(): Promise<void> {
  await ensureAccount();
  for (const directory of [DOOR_HOME, DOOR_KEYS_DIR]) await mkdir(directory, { mode: 0o755, recursive: true });
}

export async function hasDoorUser(): Promise<boolean> {
  return (await homeOfDoorUser()) === DOOR_HOME;
}

async function ensureAccount(): Promise<void> {
  const home = await homeOfDoorUser();
  if (home === DOOR_HOME) return;
  if (home !== undefined) throw new Error(`the host has another user ${DOOR_USER}, at home in ${home}: rename it`);
  await runCommand('sh', ['-c', ADD, 'sh', DOOR_USER, DOOR_HOME], { cwd: '/', env: ENVIRONMENT });
}

async function homeOfDoorUser(): Promise<string | undefined> {
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  return accounts.find(([name]) => name === DOOR_USER)?.[5];
}
