import type { JobWorkspace } from '../job/job-workspace.js';
import type { LiveOutput } from '../job/live-output.js';
import { spawnPty } from '../process/pty.js';
import { selfCommand } from '../self-command.js';
import { AGENT_VERSION } from '../version.js';
import { fingerprints } from './authorized-keys.js';
import { ConnectionClock } from './connection-clock.js';
import type { AgentEndpoint, JobLogs, PortDoor, RunningJobSsh, SessionPlace, SshConnectionInfo } from './options.js';
import { sessionShell } from './session-shell.js';
import { startJobSshServer } from './start-job-ssh-server.js';
import { tailLive } from './tail-live.js';

export interface JobSshServerOptions {
  /** A function is asked at each login, as a job's keys come with the job. */
  readonly authorizedKeys: readonly string[] | (() => readonly string[]);
  readonly hostKeyPath: string;
  /** A function gives undefined until the job has one: there is nobody to log in as. */
  readonly workspace: JobWorkspace | (() => JobWorkspace | undefined);
  readonly live: LiveOutput | (() => LiveOutput | undefined);
  readonly now: () => number;
  /** May reach the agent itself, too. */
  readonly agentKeys?: readonly string[];
  readonly agent?: AgentEndpoint;
  /** Where reverse-forwarded sockets may be; unset: nowhere. */
  readonly socketDir?: string | undefined;
  readonly door?: () => PortDoor | undefined;
  readonly log?: (line: string) => void;
}

/** The SSH server of one job's workspace. */
export class JobSshServer {
  private readonly clock: ConnectionClock;
  private running: RunningJobSsh | undefined;

  constructor(private readonly options: JobSshServerOptions) {
    this.clock = new ConnectionClock(options.now());
  }

  async listen(host: string, port: number): Promise<number> {
    const { workspace, hostKeyPath, authorizedKeys, now, agentKeys, agent, socketDir, door } = this.options;
    this.running = await startJobSshServer({
      hostKeyFile: hostKeyPath,
      authorizedKeys,
      listen: { host, port },
      session: () => placeOf(typeof workspace === 'function' ? workspace() : workspace),
      openPty: spawnPty,
      logs: this.logs(),
      log: this.options.log ?? ((): void => undefined),
      childCommand: [...selfCommand(), 'ssh-child'],
      version: AGENT_VERSION,
      now,
      ...(agentKeys === undefined ? {} : { agentKeys }),
      ...(agent === undefined ? {} : { agent }),
      ...(socketDir === undefined ? {} : { socketDir }),
      ...(door === undefined ? {} : { door }),
      onConnectionClosed: (connection) => {
        if (this.isPerson(connection)) this.clock.closed(connection.openedAt, now());
      },
    });
    return this.running.port ?? port;
  }

  /** Seconds since somebody was connected for long enough to count: with a shell, or with nothing but an idle tunnel. */
  idleSeconds(): number {
    const people = (this.running?.connections() ?? []).filter((connection) => this.isPerson(connection));
    return this.clock.idleSeconds(
      people.map(({ openedAt }) => openedAt),
      this.options.now(),
    );
  }

  /** Where a server comes in by this way too, it is always connected. */
  private isPerson({ key }: SshConnectionInfo): boolean {
    const { agentKeys = [], authorizedKeys } = this.options;
    const keys = typeof authorizedKeys === 'function' ? authorizedKeys() : authorizedKeys;
    return !fingerprints(agentKeys).includes(key) || fingerprints(keys).includes(key);
  }

  dismissVisitors(): void {
    this.running?.dismissVisitors();
  }

  async close(): Promise<void> {
    await this.running?.close();
  }

  private logs(): JobLogs {
    return {
      tail: (startTime, signal) => {
        const { live } = this.options;
        return tailLive(typeof live === 'function' ? live() : live, startTime, signal);
      },
    };
  }
}

function placeOf(workspace: JobWorkspace | undefined): SessionPlace | undefined {
  if (workspace === undefined) return undefined;
  const { identity, env, workingDir, switchUser } = workspace;
  return {
    env,
    cwd: workingDir,
    shell: sessionShell(identity.shell),
    home: identity.home,
    ...(switchUser ? { uid: identity.uid, gid: identity.gid, groups: identity.groups } : {}),
  };
}
