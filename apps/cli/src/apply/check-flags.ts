import { UsageError } from '../errors/cli-error.js';
import { attachFlags, offerFlags, profileFlags, repoFlags, resourceFlags, sharedFlags } from './run-flags.js';

const ALWAYS = ['file', 'yes', 'force', 'detach', 'verbose', 'dry-run', 'json', 'help', 'project', 'name'];
const RUN = [
  ...Object.keys({ ...sharedFlags, ...offerFlags, ...resourceFlags, ...profileFlags, ...repoFlags }),
  'ssh-identity',
];

const BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  task: [...RUN, ...Object.keys(attachFlags)],
  'dev-environment': [...RUN, ...Object.keys(attachFlags)],
  service: RUN,
  fleet: ['env'],
  gateway: [],
  volume: [],
  preset: [],
};

/** The flags `apply` takes for a type of configuration. */
export function checkFlagsFor(type: string): ReadonlySet<string> {
  const own = Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type] : undefined;
  if (!own)
    throw new UsageError(`There is no configuration type ${type}.`, `Types: ${Object.keys(BY_TYPE).join(', ')}`);
  return new Set([...ALWAYS, ...own]);
}
