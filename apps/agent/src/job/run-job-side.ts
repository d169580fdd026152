import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AgentHttpServer } from '../protocol/agent-http-server.js';
import { EpochGate } from '../protocol/epoch-gate.js';
import { untilSignalled } from '../process/until-signalled.js';
import { JobSshServer } from '../ssh/job-ssh-server.js';
import { jobDirPaths } from './job-dir.js';
import { JobSide } from './job-side.js';
import { CONTAINER_SOCKET_DIR } from './server-socket-path.js';
import type { WholeAgentSettings } from './whole-agent-settings.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';

/**
 * Runs the job side until its job has finished, or (where it is the whole agent) until it is told to end.
 * @param settings of a job side without a host agent
 */
export async function runJobSide(directory: string, settings?: WholeAgentSettings): Promise<number> {
  const paths = jobDirPaths(resolve(directory));
  const signalled = untilSignalled();
  await mkdir(paths.dir, { recursive: true, mode: 0o700 });
  const side = await JobSide.open(paths.dir, Date.now, settings !== undefined);
  const server = new AgentHttpServer({ service: side, gate: await EpochGate.open(paths.epoch), now: Date.now });
  await server.listen(paths.socket);
  const ssh = settings === undefined ? undefined : await listenForServer(side, server, settings, paths);
  if (side.exitWhenFinished) await Promise.race([side.finished, signalled]);
  else await signalled;
  for (const job of side.jobs()) {
    if (job.phase !== 'finished') {
      await side.stop(job.id, { mode: 'graceful', graceSeconds: 10, reason: 'terminated_by_server' });
      await side.finished;
    }
  }
  await ssh?.close();
  await server.close();
  return 0;
}

/** Without a host agent the server comes in by SSH, to the job's sessions and to the agent protocol alike. */
async function listenForServer(
  side: JobSide,
  server: AgentHttpServer,
  settings: WholeAgentSettings,
  paths: ReturnType<typeof jobDirPaths>,
): Promise<JobSshServer> {
  if (settings.hostKey !== undefined) await writeFileAtomically(paths.hostKey, settings.hostKey);
  const ssh = new JobSshServer({
    authorizedKeys: () => side.authorizedKeys(),
    agentKeys: settings.agentKeys,
    hostKeyPath: paths.hostKey,
    workspace: () => side.execution?.workspace,
    live: () => side.execution?.live,
    now: Date.now,
    socketDir: CONTAINER_SOCKET_DIR,
    door: () => side.gatewayDoor(),
    agent: {
      socketPath: paths.socket,
      serve: (stream) => {
        server.serve(stream);
      },
    },
  });
  await ssh.listen(settings.host, settings.port);
  side.onChange(() => {
    if (side.gatewayDoor() === undefined) ssh.dismissVisitors();
  });
  side.countConnections(() => ssh.idleSeconds());
  return ssh;
}
