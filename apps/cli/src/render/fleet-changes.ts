import { checkFleetUpdate, type Wire } from '@dstack/core';
import { diffValues, ignoringPaths, type SpecChange } from './spec-diff.js';

const HOSTS = 'ssh_config.hosts';

/** What applying would change about a fleet; of its hosts, which come and which go. Pure. */
export function fleetChanges(before: Wire.FleetSpec, after: Wire.FleetSpec): SpecChange[] {
  const changes = diffValues(before.configuration, after.configuration, '');
  const kept = ignoringPaths(changes, /ssh_key|identity_file/);
  const { addedHosts, removedHosts } = checkFleetUpdate(before, after);
  return kept.map((change) => {
    if (change.path !== HOSTS || addedHosts.length + removedHosts.length === 0) return change;
    const parts = [listed('added', addedHosts), listed('removed', removedHosts)].filter((part) => part !== '');
    return { path: HOSTS, before: countOf(before), after: `${countOf(after)} (${parts.join('; ')})` };
  });
}

function listed(word: string, hosts: readonly Wire.SSHParams['hosts'][number][]): string {
  if (hosts.length === 0) return '';
  return `${word} ${hosts.map((host) => (typeof host === 'string' ? host : host.hostname)).join(', ')}`;
}

function countOf({ configuration }: Wire.FleetSpec): string {
  const count = configuration.ssh_config?.hosts.length ?? 0;
  return `${count} host${count === 1 ? '' : 's'}`;
}
