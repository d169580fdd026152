import type { GatewayConfiguration } from '../configuration/gateway.js';
import { isSame } from '../runs/diff.js';

/** What of a gateway's configuration can be changed while it serves. */
const IN_PLACE: ReadonlySet<string> = new Set(['domain', 'default', 'replicas', 'name', 'type']);

export interface GatewayUpdate {
  readonly isChanged: boolean;
  /** Names of fields that differ and need another gateway. */
  readonly blockers: readonly string[];
}

/** Whether a gateway that is applied again has changed, and can be changed in place. */
export function checkGatewayUpdate(before: GatewayConfiguration, after: GatewayConfiguration): GatewayUpdate {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...fields].filter((field) => !isSame(valueOf(before, field), valueOf(after, field)));
  return { isChanged: changed.length > 0, blockers: changed.filter((field) => !IN_PLACE.has(field)).sort() };
}

/** What a gateway is to be when it is applied again: its name stays, and what is not said of the default too. */
export function keepUnsetOfGateway(
  stated: GatewayConfiguration,
  { name, configuration }: { readonly name: string; readonly configuration: GatewayConfiguration },
): GatewayConfiguration {
  return { ...stated, name, default: stated.default ?? configuration.default ?? null };
}

/** An absent field is an unset one. */
function valueOf(configuration: GatewayConfiguration, field: string): unknown {
  return Object.entries(configuration).find(([name]) => name === field)?.[1] ?? null;
}
