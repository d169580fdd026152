import type * as Wire from '../wire/generated/api.js';
import { effectiveProfile } from '../runs/effective-profile.js';
import { routerGroup } from './router.js';

/** Where the server itself serves the services that have no gateway; clients put their server's address before it. */
export function servicePath(projectName: string, runName: string): string {
  return `/proxy/services/${projectName}/${runName}/`;
}

/** The addresses of a service without a gateway, as clients are told them: paths, unless services have an `origin` of their own. */
export function serviceSpecWithoutGateway(
  configuration: Wire.ServiceConfiguration,
  projectName: string,
  runName: string,
  origin = '',
): Wire.ServiceSpec {
  const url = origin + servicePath(projectName, runName);
  return {
    url,
    model: modelSpec(configuration.model ?? null, url, `${origin}/proxy/models/${projectName}/`),
    options: {},
  };
}

function modelSpec(
  model: Wire.ServiceConfiguration['model'] | null,
  url: string,
  translatorUrl: string,
): Wire.ServiceModelSpec | null {
  if (model === null || model === undefined) return null;
  // A model in another format is spoken to through a translator, which all models of the project share.
  const baseUrl =
    model.format === 'openai'
      ? `${url.replace(/\/$/, '')}/${(model.prefix ?? '/v1').replace(/^\/+|\/+$/g, '')}`
      : translatorUrl;
  return { name: model.name, base_url: baseUrl, type: model.type ?? 'chat' };
}

/** Why no service can be served as the run asks, with a gateway or without; null when it can. */
export function whyNotServed(spec: Pick<Wire.RunSpec, 'configuration' | 'profile'>): string | null {
  const { configuration } = spec;
  if (configuration.type !== 'service' || routerGroup(configuration)?.router?.type !== 'dynamo') return null;
  const retry = effectiveProfile(spec).retry ?? false;
  if (retry === false) return null;
  return 'A dynamo router is not retried, as its workers know where it was: take `retry` out of the profile';
}

/** Why this server itself cannot serve it as the configuration asks; null when it can. */
export function whyNotServedHere(
  { https, rate_limits: rateLimits }: Wire.ServiceConfiguration,
  limits: { readonly forbidServicesWithoutGateway: boolean },
): string | null {
  if (limits.forbidServicesWithoutGateway)
    return 'This server does not serve services without a gateway: set `gateway` to one that `dstack gateway` lists';
  if (https === false)
    return 'Without a gateway a service is served at the address of the server: remove `https: false`, or use `auto`';
  if ((rateLimits ?? []).length > 0)
    return 'Rate limits need a gateway. Remove `rate_limits`, or set `gateway` to one that `dstack gateway` lists';
  return null;
}
