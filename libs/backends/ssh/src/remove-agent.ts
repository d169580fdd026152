import { hostPaths } from './host-paths.js';
import type { HostRequest } from './host-request.js';
import { mustRunRootScript, runScript } from './run-script.js';
import { forgetKeysScript, uninstallScript } from './uninstall-script.js';

/** Ends the jobs of this installation on the host and removes all of its files there. Where nothing is, nothing is done. */
export async function removeAgent(request: HostRequest): Promise<void> {
  const paths = hostPaths(request.owner);
  await mustRunRootScript(request, uninstallScript(paths), 'removing the agent');
  await runScript(request, forgetKeysScript(paths));
}
