import type * as Wire from '../wire/generated/api.js';

export function isSshFleet(configuration: Pick<Wire.FleetConfiguration, 'ssh_config'>): boolean {
  return Boolean(configuration.ssh_config);
}

export function isCluster(configuration: Pick<Wire.FleetConfiguration, 'placement'>): boolean {
  return configuration.placement === 'cluster';
}

/** Whether a task of several nodes may go there. In the default fleet each such task is a cluster of its own. */
export function keepsNodesTogether(fleet: Pick<Wire.FleetSpec, 'configuration' | 'autocreated'>): boolean {
  return isCluster(fleet.configuration) || fleet.autocreated === true;
}
