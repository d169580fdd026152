import type { AgentBundle } from './agent-bundle.js';
import { folderName } from './host-paths.js';
import type { ProbedHost } from './probed-host.js';
import type { MarkedFile, Supervisor } from './supervisor.js';

export interface WantedInstallation {
  readonly bundle: Pick<AgentBundle, 'digest' | 'sizeBytes'>;
  readonly supervisor: Supervisor;
  /** Null: as it is on the host. */
  readonly env: MarkedFile | null;
  /** That the host is for. */
  readonly instance: string;
}

/** What is to be done to a host; all false on one that is ready. */
export interface InstallationPlan {
  readonly upload: boolean;
  /** Files written and agent (re)started. */
  readonly apply: boolean;
  /** Undefined: enough. */
  readonly lacksKib: { readonly free: number; readonly needed: number } | null;
}

/** Unpacked it takes 2.7 times as much as packed. */
const UNPACKED_RATIO = 3;
const SPARE_KIB = 64 * 1024;

export function planInstallation(
  host: ProbedHost,
  { bundle, supervisor, env, instance }: WantedInstallation,
): InstallationPlan {
  const name = folderName(bundle.digest);
  const upload = !host.folders.includes(name);
  const supervisorMark = supervisor.kind === 'systemd' ? host.unitMark : host.loopMark;
  const ready =
    !upload &&
    host.listening &&
    host.current === name &&
    host.instance === instance &&
    supervisorMark === supervisor.file.mark &&
    (env === null || env.mark === host.envMark);
  const needed = Math.ceil((bundle.sizeBytes * UNPACKED_RATIO) / 1024) + SPARE_KIB;
  const free = host.agentFreeKib;
  return { upload, apply: !ready, lacksKib: upload && free !== null && free < needed ? { free, needed } : null };
}
