import type * as Wire from '../wire/generated/api.js';
import { type GatewayFact, whyGatewayRefuses } from './choose-gateway.js';
import { gatewayDomain } from './gateway-domain.js';
import { httpsMode } from './https-mode.js';

export type GatewayService =
  | { readonly ok: true; readonly spec: Wire.ServiceSpec; readonly host: string; readonly domain: string }
  | { readonly ok: false; readonly problem: string };

interface Service {
  readonly configuration: Wire.ServiceConfiguration;
  readonly projectName: string;
  readonly runName: string;
}

/** The addresses a service has at a gateway, or why it can have none. */
export function gatewayService(gateway: GatewayFact, { configuration, projectName, runName }: Service): GatewayService {
  const problem = whyGatewayRefuses(gateway);
  if (problem !== null) return { ok: false, problem };
  const resolved = gatewayDomain(gateway.domain ?? '', projectName);
  if (!resolved.ok) return resolved;
  const https = httpsMode(configuration.https, gateway.certificate);
  if (!https.ok) return https;
  const { domain } = resolved;
  const host = `${runName}.${domain}`;
  const url = `${https.scheme}://${host}/`;
  return {
    ok: true,
    host,
    domain,
    spec: {
      url,
      model: modelSpec(configuration.model ?? null, url, `${https.scheme}://gateway.${domain}`),
      options: {},
    },
  };
}

function modelSpec(
  model: Wire.ServiceConfiguration['model'] | null,
  url: string,
  translatorUrl: string,
): Wire.ServiceModelSpec | null {
  if (model === null || model === undefined) return null;
  const prefix = model.format === 'openai' ? (model.prefix ?? '/v1').replace(/^\/+|\/+$/g, '') : null;
  return {
    name: model.name,
    base_url: prefix === null ? translatorUrl : `${url}${prefix}`,
    type: model.type ?? 'chat',
  };
}
