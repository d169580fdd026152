import type { Attempt } from '@dstack/backend-base';

const DEFAULT_TYPE = 't3.micro';
const DISK_MIB = 10 * 1024;

/** A gateway is no offer of the catalog: the same attempt for a small machine, or for the type that is asked for. */
export function gatewayAttempt(attempt: Attempt, instanceType: string | null): Attempt {
  const { offer } = attempt;
  const name = instanceType ?? DEFAULT_TYPE;
  const resources = {
    ...offer.instance.resources,
    gpus: [],
    spot: false,
    disk: { size_mib: DISK_MIB },
    // Graviton: `t4g.small`, `m7gd.large`.
    cpu_arch: /^[a-z]+\d+g/.test(name) ? ('arm' as const) : ('x86' as const),
  };
  return {
    ...attempt,
    offer: { ...offer, instance: { ...offer.instance, name, resources } },
    zone: null,
    container: null,
  };
}
