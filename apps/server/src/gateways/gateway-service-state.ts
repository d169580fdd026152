import type { GatewayModel, GatewayReplica, GatewayStateInput, HttpsMode } from '@dstack/gateway-protocol';
import { type CertificateKind, ROUTER_PATHS, routerGroup, type Wire } from '@dstack/core';
import type { RunRecord } from '../runs/run-record.js';

type ServiceInput = GatewayStateInput['services'][number];
type ModelHostInput = NonNullable<GatewayStateInput['modelHosts']>[number];

/** The name that its requests are for; what was told when it was submitted stays. */
export function hostOfService({ serviceSpec }: Pick<RunRecord, 'serviceSpec'>): string | null {
  return serviceSpec !== null && URL.canParse(serviceSpec.url) ? new URL(serviceSpec.url).hostname : null;
}

export interface ServicePlace {
  readonly projectName: string;
  readonly certificate: CertificateKind;
  readonly host: string;
  readonly maxBodyBytes: number;
  readonly replicas: readonly GatewayReplica[];
}

export function gatewayServiceOf(
  run: Pick<RunRecord, 'id' | 'name' | 'spec' | 'serviceSpec'>,
  { projectName, certificate, host, maxBodyBytes, replicas }: ServicePlace,
): ServiceInput {
  const configuration = run.spec.configuration as Wire.ServiceConfiguration; // only services have a service spec
  const model = modelConfiguration(configuration);
  return {
    id: run.id,
    project: projectName,
    run: run.name,
    host,
    https: modeOf(run, certificate),
    auth: configuration.auth ?? true,
    maxBodyBytes,
    rateLimits: (configuration.rate_limits ?? []).map(rateLimit),
    onlyPaths: routerGroup(configuration) === null ? null : [...ROUTER_PATHS],
    cors: model !== null && model.format !== 'tgi',
    replicas,
  };
}

function rateLimit({ prefix, key, rps, burst }: Wire.RateLimit): NonNullable<ServiceInput['rateLimits']>[number] {
  const isHeader = key !== undefined && key !== null && key.type === 'header';
  return {
    prefix: prefix ?? '/',
    key: isHeader ? { kind: 'header', header: key.header } : { kind: 'ip' },
    requestsPerSecond: rps,
    burst: burst ?? 0,
  };
}

export function modelOf(run: RunRecord, projectName: string): GatewayModel | null {
  const model = modelConfiguration(run.spec.configuration as Wire.ServiceConfiguration);
  if (model === null) return null;
  return {
    project: projectName,
    name: model.name,
    serviceId: run.id,
    createdAt: Math.floor(run.submittedAt / 1000),
    api:
      model.format === 'tgi'
        ? { format: 'tgi', chatTemplate: model.chat_template ?? null, eosToken: model.eos_token ?? null }
        : { format: 'openai', prefix: model.prefix ?? '/v1' },
  };
}

interface ModelHostFacts {
  readonly domain: string | null;
  readonly projectName: string;
  readonly certificate: CertificateKind;
  readonly served: readonly RunRecord[];
  /** Taken by services. */
  readonly hosts: ReadonlySet<string>;
}

/** `gateway.<domain>`, as soon as there is a model to be asked for there. */
export function modelHostOf({ domain, projectName, certificate, served, hosts }: ModelHostFacts): ModelHostInput[] {
  const first = served.find((run) => modelConfiguration(run.spec.configuration as Wire.ServiceConfiguration) !== null);
  if (first === undefined || domain === null || hosts.has(`gateway.${domain}`)) return [];
  return [{ host: `gateway.${domain}`, https: modeOf(first, certificate), project: projectName }];
}

function modeOf({ serviceSpec }: Pick<RunRecord, 'serviceSpec'>, certificate: CertificateKind): HttpsMode {
  if (serviceSpec?.url.startsWith('https:') !== true) return 'none';
  return certificate === 'acm' ? 'balancer' : 'certificate';
}

function modelConfiguration({ model }: Wire.ServiceConfiguration): Wire.TGIChatModel | Wire.OpenAIChatModel | null {
  return model === null || model === undefined || typeof model === 'string' ? null : model;
}
