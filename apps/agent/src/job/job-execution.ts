import type { JobEndReason, JobStart, StopRequest } from '@dstack/agent-protocol';
import type { BlobStore } from '../files/blob-store.js';
import { countOomKills } from '../cgroup/count-oom-kills.js';
import { killJobProcesses } from '../process/job-processes.js';
import type { SpoolWriter } from '../spool/spool-writer.js';
import { JobSshServer } from '../ssh/job-ssh-server.js';
import { setUpClusterSsh } from './cluster-ssh.js';
import { Commands } from './commands.js';
import { findCommand } from './find-command.js';
import { installGitCredentials } from './git-credentials.js';
import { cgroupsOf, type JobContext } from './job-context.js';
import { setUpFiles } from './job-files.js';
import type { JobStatePatch } from './job-state-store.js';
import { type JobWorkspace, prepareWorkspace, publishFiles } from './job-workspace.js';
import { LiveOutput } from './live-output.js';
import { LogQuota } from './log-quota.js';
import type { Outcome } from './outcome.js';
import { setUpRepo } from './repo.js';
import type { RunnerLog } from './runner-log.js';
import { CONTAINER_SOCKET_DIR, removeServerSocket } from './server-socket-path.js';
import { ServerSocket } from './server-socket.js';

export interface ExecutionOptions {
  readonly job: JobStart;
  readonly context: JobContext;
  readonly blobs: BlobStore;
  readonly spool: SpoolWriter;
  readonly log: RunnerLog;
  readonly hostKeyPath: string;
  readonly submittedAt: number;
  readonly now: () => number;
  readonly report: (patch: JobStatePatch) => Promise<void>;
}

const DEFAULT_SSH_PORT = 10022;

/** A step before the commands that failed, with the reason its kind of failure has in the contract. */
class SetupError extends Error {
  constructor(
    readonly reason: JobEndReason,
    message: string,
  ) {
    super(message);
  }
}

/** One run of one job, from its workspace to its outcome. */
export class JobExecution {
  readonly finished: Promise<Outcome>;
  private commands: Commands | undefined;
  private stopRequest: StopRequest | undefined;
  readonly live = new LiveOutput();
  /** Known once it is resolved. */
  workspace: JobWorkspace | undefined;
  private ssh: JobSshServer | undefined;
  /** Where connections of the job to the server wait; absent until the commands may make some, and for jobs that may not. */
  serverSocket: ServerSocket | undefined;

  constructor(private readonly options: ExecutionOptions) {
    this.finished = this.run();
  }

  get leaderPid(): number | undefined {
    return this.commands?.pid;
  }

  /** Seconds since somebody was connected for long enough to count. */
  noConnectionsSeconds(): number | undefined {
    return this.ssh?.idleSeconds();
  }

  stop(request: StopRequest): void {
    this.stopRequest = request;
    this.applyStop();
  }

  private applyStop(): void {
    const request = this.stopRequest;
    if (request === undefined || this.commands === undefined) return;
    if (request.mode === 'kill') this.commands.kill(request.reason);
    else this.commands.stop(request.reason, request.graceSeconds);
  }

  private async run(): Promise<Outcome> {
    const { log } = this.options;
    let undo = (): Promise<void> => Promise.resolve();
    try {
      const workspace = await step('executor_error', 'Failed to set job user / working dir', () =>
        prepareWorkspace(this.options.job, this.options.context),
      );
      this.workspace = workspace;
      await this.quietly('publishing files', () => publishFiles(this.options.job, this.options.context, workspace));
      // In a container one may log in early, and look. On a host the set-up has our rights, so nobody of the job may be there to misuse it.
      const { forcedIdentity } = this.options.context;
      if (forcedIdentity === undefined) await this.startSsh(workspace);
      undo = await this.setUp(workspace);
      await this.openServerSocket(workspace);
      if (forcedIdentity !== undefined) await this.startSsh(workspace);
      if (this.stopRequest !== undefined)
        return { reason: this.stopRequest.reason, message: 'stopped before its commands started' };
      return await this.execute(workspace);
    } catch (error) {
      const failure = error instanceof SetupError ? error : new SetupError('executor_error', toMessage(error));
      log.warn(failure.message);
      return { reason: failure.reason, message: failure.message };
    } finally {
      await undo().catch(() => undefined);
      await this.serverSocket?.close().catch(() => undefined);
      if (this.options.context.runtime === 'process') await removeServerSocket(this.options.job.id);
      this.live.end();
      await this.ssh?.close();
    }
  }

  private async setUp(workspace: JobWorkspace): Promise<() => Promise<void>> {
    const { job, blobs, log } = this.options;
    const place = {
      home: workspace.identity.home,
      workingDir: workspace.workingDir,
      owner: workspace.owner,
      confinedTo: workspace.confinedTo,
    };
    let undo = (): Promise<void> => Promise.resolve();
    const { repo } = job;
    const repoDir = workspace.repoDir;
    if (repo?.kind === 'remote') {
      await this.quietly('git credentials', async () => {
        undo = await installGitCredentials(repo, place);
      });
    }
    try {
      const port = job.ssh.listen?.port || DEFAULT_SSH_PORT;
      await this.quietly('cluster SSH', () => setUpClusterSsh(job.cluster, port, place));
      if (repo !== undefined && repoDir !== undefined) {
        const done = await step('container_exited_with_error', 'Failed to set up the repo', () =>
          setUpRepo(repo, blobs, { ...place, repoDir, path: workspace.env['PATH'] }),
        );
        log.info(done ? `the repo is in ${repoDir}` : `${repoDir} is not empty: the repo was skipped`);
      }
      await step('executor_error', 'Failed to set up files', () => setUpFiles(job.files, blobs, place));
    } catch (error) {
      await undo();
      throw error;
    }
    return undo;
  }

  private async execute(workspace: JobWorkspace): Promise<Outcome> {
    const { job, context, spool, now } = this.options;
    const [name, ...args] = job.commands.length > 0 ? job.commands : (context.imageCommand ?? []);
    if (name === undefined) {
      throw new SetupError(
        'executor_error',
        'the job has no commands, and its image neither: set `commands` or `entrypoint`',
      );
    }
    const file = findCommand(name, workspace.env['PATH'], workspace.workingDir);
    if (file === undefined) {
      return { reason: 'container_exited_with_error', exitStatus: 127, message: `command not found: ${name}` };
    }
    const { identity } = workspace;
    this.commands = new Commands({
      pty: {
        file,
        args,
        env: { ...workspace.env, PWD: workspace.workingDir },
        cwd: workspace.workingDir,
        cols: 120,
        rows: 40,
        ...(workspace.switchUser ? { identity } : {}),
      },
      spool,
      now,
      killLeftovers: (leaderPid) => {
        killJobProcesses({
          jobId: job.id,
          session: leaderPid,
          ...(context.forcedIdentity === undefined ? {} : { ownUid: context.forcedIdentity.uid }),
        });
      },
      countOomKills: async () => {
        const counts = await Promise.all(cgroupsOf(context).map(countOomKills));
        return Math.max(0, ...counts);
      },
      onOutput: (bytes) => {
        this.live.add(bytes, now());
      },
      ...(job.maxDurationSeconds === undefined ? {} : { maxDurationSeconds: job.maxDurationSeconds }),
      ...(job.logQuotaBytesPerHour === undefined
        ? {}
        : { quota: new LogQuota(job.logQuotaBytesPerHour, this.options.submittedAt) }),
    });
    await this.options.report({
      phase: 'running',
      runningAt: now(),
      username: identity.name,
      workingDir: workspace.workingDir,
    });
    this.applyStop();
    return this.commands.finished;
  }

  private async openServerSocket({ serverSocket, owner }: JobWorkspace): Promise<void> {
    if (serverSocket === undefined) return;
    const isShared = this.options.context.runtime === 'container';
    this.serverSocket = await step('executor_error', `Cannot make the socket ${serverSocket} to the server`, () =>
      ServerSocket.listen(serverSocket, owner, isShared),
    );
  }

  private async startSsh(workspace: JobWorkspace): Promise<void> {
    const { job, log } = this.options;
    if (job.ssh.listen === undefined) return;
    const clusterKey = job.cluster.sshKey?.publicKey;
    this.ssh = new JobSshServer({
      authorizedKeys: () =>
        clusterKey === undefined ? job.ssh.authorizedKeys : [...job.ssh.authorizedKeys, clusterKey],
      hostKeyPath: this.options.hostKeyPath,
      workspace: () => workspace,
      live: () => this.live,
      socketDir: this.options.context.runtime === 'container' ? CONTAINER_SOCKET_DIR : undefined,
      now: this.options.now,
    });
    const listen = sshAddress(job.ssh.listen, this.options.context);
    const port = await this.ssh.listen(listen.host, listen.port).catch((error: unknown) => {
      throw cannotListen(listen, error);
    });
    log.info(`SSH listens on ${listen.host}:${port}`);
    await this.options.report({ sshPort: port });
  }

  private async quietly(what: string, work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      this.options.log.warn(`${what}: ${toMessage(error)}`);
    });
  }
}

/** A bridged container's own addresses are its own; which host address leads there is the engine's business. */
function sshAddress(wanted: { readonly host: string; readonly port: number }, context: JobContext) {
  return {
    host: context.isBridged === true ? '0.0.0.0' : wanted.host,
    port: context.isBridged === true ? wanted.port || DEFAULT_SSH_PORT : wanted.port,
  };
}

function cannotListen({ host, port }: { readonly host: string; readonly port: number }, error: unknown): SetupError {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  if (!isTaken) return new SetupError('executor_error', `SSH of the job does not start (${toMessage(error)})`);
  return new SetupError(
    'ports_binding_failed',
    `port ${port} of ${host}, where SSH of the job listens, is taken by another job or program of the host`,
  );
}

async function step<T>(reason: JobEndReason, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new SetupError(reason, `${what} (${toMessage(error)})`);
  }
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
