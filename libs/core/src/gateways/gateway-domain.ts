import { interpolate } from '../configuration/interpolation.js';

const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export type ResolvedDomain =
  { readonly ok: true; readonly domain: string } | { readonly ok: false; readonly problem: string };

/** Below which the services of a project have their host names: `*.` before it is what people write for DNS. */
export function gatewayDomain(written: string, projectName: string): ResolvedDomain {
  const filled = interpolate(written, { values: { run: { project_name: projectName } } });
  if (!filled.ok) return { ok: false, problem: `The domain of the gateway, ${written}, has an unknown reference` };
  const domain = filled.text.trim().toLowerCase().replace(/^\*\./, '').replaceAll('_', '-');
  if (HOST_NAME.test(domain)) return { ok: true, domain };
  return { ok: false, problem: `The domain of the gateway, ${filled.text}, is no host name` };
}
