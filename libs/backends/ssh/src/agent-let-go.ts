import type { HostPaths } from './host-paths.js';
import { type LetGo, letGoOf } from './let-go-script.js';
import { uninstallFunction } from './uninstall-script.js';

/** Of the instance that an agent is on the host for. */
export function agentLetGo(paths: HostPaths, instance: string): LetGo {
  return letGoOf({
    id: instance,
    directory: `/run/${paths.keyMark}-let-go`,
    tenant: `${paths.state}/instance`,
    uninstallFunction: uninstallFunction(paths),
  });
}
