import { ConfigFileError } from '../config-file/config-file.js';
import type { ServerSettings } from '../settings/settings.js';
import type { Scheduler } from '../world/scheduler.js';
import { loadModulePolicy } from './module-policy.js';
import { Policies, type Policy } from './policies.js';
import { REST_PLUGIN, RestPolicy } from './rest-policy.js';

/**
 * The policies of `plugins` in `config.yml` and of `DSTACK_SERVER_PLUGINS`, in that order. A plugin service that is named by its variable is
 * asked also where nobody listed it: a rule that is not asked is worse than one too many.
 * @throws {ConfigFileError}
 */
export async function loadPolicies(
  configured: readonly string[],
  { serverDir, plugins, pluginServiceUri }: Pick<ServerSettings, 'serverDir' | 'plugins' | 'pluginServiceUri'>,
  scheduler: Pick<Scheduler, 'sleep'>,
): Promise<Policies> {
  const names = new Set([...configured, ...plugins]);
  if (pluginServiceUri !== undefined) names.add(REST_PLUGIN);
  const policies: Policy[] = [];
  for (const name of names) {
    if (name !== REST_PLUGIN) policies.push(await loadModulePolicy(name, serverDir));
    else if (pluginServiceUri === undefined || !URL.canParse(pluginServiceUri))
      throw new ConfigFileError(
        `The plugin ${REST_PLUGIN} needs DSTACK_PLUGIN_SERVICE_URI, such as http://127.0.0.1:8000.`,
      );
    else policies.push(new RestPolicy(pluginServiceUri));
  }
  return new Policies(policies, scheduler);
}
