import type { AgentBundle } from './agent-bundle.js';
import { applyScript } from './agent-scripts.js';
import { AGENTS_DIR, folderName, hostPaths } from './host-paths.js';
import { HostProblemError } from './host-problem.js';
import type { HostRequest, OnboardRequest } from './host-request.js';
import { architectureOf, lackOfSpace } from './judge-host.js';
import { planInstallation } from './plan-installation.js';
import type { ProbedHost } from './probed-host.js';
import { pruneFolders } from './prune-folders-script.js';
import { mustPutOnHost } from './put-on-host.js';
import { mustRunRootScript } from './run-script.js';
import { environmentFile, supervisorOf } from './supervisor.js';
import { uploadAgent } from './upload-agent.js';

export interface InstallRequest extends HostRequest, Pick<OnboardRequest, 'bundle' | 'onProgress'> {
  /** Null: as it is on the host. */
  readonly env: Readonly<Record<string, string>> | null;
}

/** Makes of the host as it was found one that runs the bundle's agent. Gives what it runs; nothing is done to one that does already. */
export async function installAgent(request: InstallRequest, host: ProbedHost): Promise<AgentBundle> {
  const { owner, instance, hostname, onProgress } = request;
  const paths = hostPaths(owner);
  const { bundle, arch } = await bundleFor(request, host);
  const supervisor = supervisorOf({ paths, arch, systemd: host.systemd, uid: host.uid });
  const env = request.env === null ? null : environmentFile(paths, request.env);
  const plan = planInstallation(host, { bundle, supervisor, env, instance });
  if (plan.lacksKib !== null) {
    const text = lackOfSpace(AGENTS_DIR, plan.lacksKib.free, plan.lacksKib.needed);
    throw new HostProblemError('disk-full', true, `${hostname}: ${text}`);
  }
  if (plan.upload) {
    onProgress('upload', '0 %');
    await uploadAgent(request, { bundle, uid: host.uid, onPercent: (percent) => onProgress('upload', `${percent} %`) });
  }
  if (plan.apply) {
    onProgress('start', supervisor.kind === 'systemd' ? 'systemd' : 'without systemd');
    const folder = `${AGENTS_DIR}/${folderName(bundle.digest)}`;
    const script = applyScript(paths, { owner, instance, folder, supervisor, env });
    await mustPutOnHost(request, script, 'starting the agent');
  } else if (host.folders.length > 1) {
    await mustRunRootScript(request, pruneFolders(), 'removing old agents');
  }
  return bundle;
}

async function bundleFor(
  request: InstallRequest,
  host: ProbedHost,
): Promise<{ bundle: AgentBundle; arch: 'x86' | 'arm' }> {
  const arch = architectureOf(host.machine);
  const bundle = arch === undefined ? undefined : await request.bundle(arch);
  if (arch !== undefined && bundle !== undefined) return { bundle, arch };
  throw new HostProblemError(
    'unsupported-architecture',
    true,
    `${request.hostname}: its processor is of the kind ${host.machine}, and this server has no agent for it; ` +
      'in a checkout it is built by `npm run build:folder -w @dstack/agent` on a machine of that kind',
  );
}
