import {
  type BackendEnvironment,
  type BackendModule,
  type Call,
  type ConfigIssue,
  isBackendError,
} from '@dstack/backend-base';
import { Gce } from './client.js';
import { Credentials } from './credentials.js';
import type { GcpConfig } from './definition.js';
import { GcpCompute } from './gcp-compute.js';
import { hasNat, type SubnetsByRegion } from './network.js';
import { Networks } from './networks.js';

const CHECK_MS = 15_000;

/** At once, of many regions. */
const PARALLEL = 8;

export const gcpModule: BackendModule<GcpConfig> = {
  async validate(config, environment, signal) {
    const gce = new Gce(config.project_id, new Credentials(config.creds, environment.now), environment);
    const call = { signal, deadline: environment.now() + CHECK_MS };
    const credsPath = config.creds.type === 'default' ? ['creds'] : ['creds', 'data'];
    const refused = await gce.checkProject(call).then(
      () => null,
      (error: unknown) =>
        whyRefused(error, ['project_id'], `Google Cloud has no project ${config.project_id}`, credsPath),
    );
    return refused === null ? networkIssues(config, gce, environment, call) : [refused];
  },

  async open(config, environment) {
    return new GcpCompute({ config, environment });
  },
};

/** What was not answered is no refusal. */
function whyRefused(
  error: unknown,
  path: readonly string[],
  missing: string,
  credsPath: readonly string[],
): ConfigIssue {
  if (isBackendError(error) && error.failure.kind === 'not-found') return { path, message: missing };
  if (isBackendError(error) && error.failure.kind === 'credentials') return { path: credsPath, message: error.message };
  throw error;
}

async function networkIssues(
  config: GcpConfig,
  gce: Gce,
  environment: BackendEnvironment,
  call: Call,
): Promise<ConfigIssue[]> {
  const networks = new Networks(config, gce, environment.now);
  const path = config.vpc_project_id ? ['vpc_project_id'] : ['creds'];
  let subnets: SubnetsByRegion;
  try {
    subnets = await networks.usable(call);
  } catch (error) {
    return [whyRefused(error, path, `Google Cloud has no project ${config.vpc_project_id}`, path)];
  }
  if (subnets.size === 0) {
    const message = `the account may use no subnet of ${networks.path}`;
    return [{ path: [config.vpc_name ? 'vpc_name' : 'project_id'], message }];
  }
  const absent = (config.regions ?? []).flatMap((region, index) =>
    subnets.has(region)
      ? []
      : [{ path: ['regions', index], message: `${networks.path} has no subnet in ${region} that the account may use` }],
  );
  if (absent.length > 0 || !needsNat(config)) return absent;
  return natIssues(config, networks.path, config.regions ?? [...subnets.keys()], gce, call);
}

function needsNat({ public_ips: publicIps, nat_check: natCheck, vpc_project_id: shared }: GcpConfig): boolean {
  return publicIps === false && natCheck !== false && !shared;
}

/** Of the default regions those without a way out are not used by anybody yet; of named ones each must have it. */
async function natIssues(
  { regions: named }: GcpConfig,
  network: string,
  regions: readonly string[],
  gce: Gce,
  call: Call,
): Promise<ConfigIssue[]> {
  const without: string[] = [];
  for (let first = 0; first < regions.length; first += PARALLEL) {
    const some = regions.slice(first, first + PARALLEL);
    const have = await Promise.all(some.map(async (region) => hasNat(network, await gce.routers(region, call))));
    without.push(...some.filter((_region, index) => have[index] === false));
  }
  if (!named && without.length < regions.length) return [];
  return without.slice(0, named ? without.length : 1).map((region) => ({
    path: named ? ['regions', named.indexOf(region)] : ['public_ips'],
    message: `${network} has no Cloud NAT in ${region}, without which machines with no public addresses reach nothing; nat_check: false leaves this unchecked`,
  }));
}
