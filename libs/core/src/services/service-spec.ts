import type * as Wire from '../wire/generated/api.js';

/** Where the server itself serves the services that have no gateway; clients put their server's address before it. */
export function servicePath(projectName: string, runName: string): string {
  return `/proxy/services/${projectName}/${runName}/`;
}

/** The addresses of a service without a gateway, as clients are told them. */
export function serviceSpecWithoutGateway(
  configuration: Wire.ServiceConfiguration,
  projectName: string,
  runName: string,
): Wire.ServiceSpec {
  const url = servicePath(projectName, runName);
  return { url, model: modelSpec(configuration.model ?? null, url, projectName), options: {} };
}

function modelSpec(
  model: Wire.ServiceConfiguration['model'] | null,
  url: string,
  projectName: string,
): Wire.ServiceModelSpec | null {
  if (model === null || model === undefined) return null;
  // A model in another format is spoken to through a translator, which all models of the project share.
  const baseUrl =
    model.format === 'openai'
      ? `${url.replace(/\/$/, '')}/${(model.prefix ?? '/v1').replace(/^\/+|\/+$/g, '')}`
      : `/proxy/models/${projectName}/`;
  return { name: model.name, base_url: baseUrl, type: model.type ?? 'chat' };
}

/** Why a service cannot be served by this server as its configuration asks; null when it can. */
export function whyNotServed(
  { gateway, https, rate_limits: rateLimits, replicas }: Wire.ServiceConfiguration,
  limits: { readonly forbidServicesWithoutGateway: boolean },
): string | null {
  if (gateway !== null && gateway !== undefined && gateway !== false) {
    const name = gateway === true ? 'the default gateway' : `gateway ${referenceText(gateway)}`;
    return `The service asks for ${name}, and gateways are not built yet. Set \`gateway: false\` to serve it through this server`;
  }
  if (limits.forbidServicesWithoutGateway)
    return 'This server does not serve services without a gateway, and gateways are not built yet';
  if (https === false)
    return 'Without a gateway a service is served at the address of the server: remove `https: false`, or use `auto`';
  if ((rateLimits ?? []).length > 0) return 'Rate limits need a gateway. Remove `rate_limits`';
  if (Array.isArray(replicas) && replicas.some((group) => group.router))
    return 'Router groups are not built yet. Remove `router`, so that requests go to the replicas themselves';
  return null;
}

function referenceText(reference: Wire.EntityReference | string): string {
  if (typeof reference === 'string') return reference;
  const { project, name } = reference;
  return project ? `${project}/${name}` : name;
}
