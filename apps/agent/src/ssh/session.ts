import type { PseudoTtyInfo, ServerChannel, Session, WindowChangeInfo } from 'ssh2';
import type { PtyProcess } from '../process/pty.js';
import type { JobSshOptions, SessionPlace } from './options.js';
import { runPiped } from './run-piped.js';
import { runWithTerminal } from './run-with-terminal.js';
import { commandLine, interactiveShell, mayClientSet, type ShellCommand } from './session-command.js';
import { sessionDir } from './session-dir.js';
import { signalGroup } from './signal-group.js';
import { type Child, foreignIdentity, startAsJob, startHelper } from './start-child.js';

/** ssh2 hands over no function where the client wants no answer. */
type Answer = (() => void) | undefined;

export interface SessionContext {
  readonly options: JobSshOptions;
  readonly place: SessionPlace;
  readonly connectionEnv: Readonly<Record<string, string>>;
  /** Leaders of all that runs for sessions. */
  readonly leaders: Set<number>;
}

/** Serves one session channel: what the client says about it first, then its one shell, command or SFTP. */
export function serveSession(session: Session, { options, place, connectionEnv, leaders }: SessionContext): void {
  const { childCommand, log } = options;
  const clientEnv: Record<string, string> = {};
  let terminal: PseudoTtyInfo | undefined;
  let pty: PtyProcess | undefined;
  let leaderPid: number | undefined;

  session.on('env', (accept: Answer, reject: Answer, info) => {
    const allowed = mayClientSet(info.key);
    if (allowed) clientEnv[info.key] = info.val;
    (allowed ? accept : reject)?.();
  });
  session.on('pty', (accept: Answer, _reject: Answer, info) => {
    terminal = info;
    accept?.();
  });
  session.on('window-change', (accept: Answer, _reject: Answer, info: WindowChangeInfo) => {
    pty?.resize(info.cols, info.rows);
    accept?.();
  });
  session.on('signal', (accept: Answer, reject: Answer, info) => {
    const known = leaderPid !== undefined && /^[A-Z0-9]+$/.test(info.name);
    (known && signalGroup(leaderPid ?? 0, `SIG${info.name}` as NodeJS.Signals) ? accept : reject)?.();
  });
  session.on('shell', (accept) => {
    const env = environment();
    start(accept(), interactiveShell(place.shell, env));
  });
  session.on('exec', (accept, _reject, info) => {
    start(accept(), commandLine(info.command, environment()));
  });
  session.on('subsystem', (accept, reject, info) => {
    if (info.name !== 'sftp') reject();
    else piped(accept(), () => startHelper(place, childCommand, ['sftp'], sessionDir(place.home, place.cwd)));
  });

  function environment(): Record<string, string> {
    const term: Record<string, string> = terminal === undefined ? {} : { TERM: terminalName(terminal) };
    return { ...place.env, ...connectionEnv, ...clientEnv, ...term, SHELL: place.shell };
  }

  function start(channel: ServerChannel, command: ShellCommand): void {
    const program = { file: place.shell, args: command.args, env: command.env, cwd: sessionDir(place.cwd, place.home) };
    if (terminal === undefined) {
      piped(channel, () => startAsJob(place, childCommand, { ...program, env: { ...program.env, PWD: program.cwd } }));
      return;
    }
    const identity = foreignIdentity(place);
    const { cols, rows } = terminal;
    guarded(channel, async () => {
      pty = options.openPty({
        ...program,
        env: { ...program.env, PWD: program.cwd },
        cols: cols || 80,
        rows: rows || 24,
        ...(identity === undefined ? {} : { identity }),
      });
      lead(pty.pid);
      await runWithTerminal(channel, pty);
    });
  }

  function piped(channel: ServerChannel, open: () => Child): void {
    guarded(channel, async () => {
      const child = open();
      lead(child.pid);
      await runPiped(channel, child);
    });
  }

  function lead(pid: number | undefined): void {
    leaderPid = pid;
    if (pid !== undefined) leaders.add(pid);
  }

  function guarded(channel: ServerChannel, work: () => Promise<void>): void {
    channel.on('error', () => undefined);
    work()
      .catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        log(`ssh: a session failed: ${message}`);
        channel.stderr.write(`dstack: ${message}\r\n`);
        channel.exit(127);
        channel.end();
      })
      .finally(() => {
        if (leaderPid !== undefined) leaders.delete(leaderPid);
        leaderPid = undefined;
        pty = undefined;
      });
  }
}

/** The typings lack it: ssh2 gives the terminal's name as `term`. */
function terminalName(info: PseudoTtyInfo): string {
  const name: unknown = Reflect.get(info, 'term');
  return typeof name === 'string' && name !== '' ? name : 'xterm';
}
