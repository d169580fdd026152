import type * as Wire from '../wire/generated/api.js';
import type { GatewayStatus } from '../wire/enums.js';
import type { CertificateKind } from './https-mode.js';

/** Which gateway a service asks for. */
export type GatewayWish =
  | { readonly kind: 'none' }
  | { readonly kind: 'default'; readonly isRequired: boolean }
  /** `project` null: its own. */
  | { readonly kind: 'named'; readonly project: string | null; readonly name: string };

export function gatewayWish({ gateway }: Pick<Wire.ServiceConfiguration, 'gateway'>): GatewayWish {
  if (gateway === false) return { kind: 'none' };
  if (gateway === true) return { kind: 'default', isRequired: true };
  if (gateway === null || gateway === undefined) return { kind: 'default', isRequired: false };
  if (typeof gateway !== 'string') return { kind: 'named', project: gateway.project ?? null, name: gateway.name };
  const [first = '', second] = gateway.split('/', 2);
  return second === undefined
    ? { kind: 'named', project: null, name: first }
    : { kind: 'named', project: first, name: second };
}

/** A gateway, as whoever wants to serve through it has to know it. */
export interface GatewayFact {
  readonly name: string;
  readonly status: GatewayStatus;
  readonly isBeingDeleted: boolean;
  readonly runningReplicas: number;
  /** May hold `${{ run.project_name }}`. */
  readonly domain: string | null;
  readonly certificate: CertificateKind;
}

/** Why no service can be put behind it now; null when one can. */
export function whyGatewayRefuses(gateway: GatewayFact): string | null {
  const { name, status, isBeingDeleted, runningReplicas, domain } = gateway;
  if (isBeingDeleted) return `Gateway ${name} is being deleted`;
  if (status === 'failed') return `Gateway ${name} has failed: delete it and apply it again`;
  if (status !== 'running')
    return `Gateway ${name} is not ready yet, it is ${status}. Apply again when \`dstack gateway\` shows it running`;
  if (runningReplicas === 0)
    return `No replica of gateway ${name} is running: see \`dstack gateway -v\` for the reason`;
  if (!domain) return `Gateway ${name} has no domain: set one with \`dstack gateway update ${name} --domain DOMAIN\``;
  return null;
}
