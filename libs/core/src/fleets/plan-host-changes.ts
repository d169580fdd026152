import type { SshHost } from './ssh-hosts.js';

/** An instance of an SSH fleet, as far as its host list is concerned. */
export interface HostFact {
  readonly instanceId: string;
  readonly hostname: string;
  /** It could not be used; the row only tells why. */
  readonly isFinished: boolean;
}

export interface HostChanges {
  readonly add: readonly SshHost[];
  /** With what is written about them now: their keys may be new. */
  readonly keep: readonly { readonly instanceId: string; readonly host: SshHost }[];
  readonly remove: readonly string[];
  /** Rows of failed hosts: tried again, or no longer asked for. */
  readonly forget: readonly string[];
}

/** What an SSH fleet has to change so that its hosts are those that are named. */
export function planHostChanges(wanted: readonly SshHost[], instances: readonly HostFact[]): HostChanges {
  const live = instances.filter((instance) => !instance.isFinished);
  const byName = new Map(live.map((instance) => [instance.hostname, instance.instanceId]));
  const names = new Set(wanted.map((host) => host.hostname));
  return {
    add: wanted.filter((host) => !byName.has(host.hostname)),
    keep: wanted.flatMap((host) => {
      const instanceId = byName.get(host.hostname);
      return instanceId === undefined ? [] : [{ instanceId, host }];
    }),
    remove: live.filter((instance) => !names.has(instance.hostname)).map((instance) => instance.instanceId),
    forget: instances.filter((instance) => instance.isFinished).map((instance) => instance.instanceId),
  };
}
