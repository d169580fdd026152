import {
  type BackendModule,
  type BackendError,
  type Call,
  type ConfigIssue,
  isBackendError,
} from '@dstack/backend-base';
import { accessOf } from './access.js';
import { AzureCompute, identityId } from './azure-compute.js';
import { Arm } from './client.js';
import { type AzureConfig, regionsOf } from './definition.js';
import { armCode } from './errors.js';
import { isMissing, Networks } from './networks.js';
import { signInField } from './sign-in-errors.js';

const VALIDATE_MS = 15_000;

export const azureModule: BackendModule<AzureConfig> = {
  async validate(config, environment, signal) {
    const arm = new Arm(await accessOf(config, environment));
    const call = { signal, deadline: environment.now() + VALIDATE_MS };
    const refused = await whyRefused(config, arm, call);
    if (refused.length > 0) return refused;
    const networks = new Networks(config, arm, environment, 0);
    const issues = await Promise.all([
      identityIssues(config, arm, call),
      ...regionsOf(config).map((region) => networkIssues(region, config, networks, call)),
    ]);
    return issues.flat();
  },

  async open(config, environment) {
    return new AzureCompute({ config, arm: new Arm(await accessOf(config, environment)), environment });
  },
};

/** Empty: Azure knows who asks, and the account may look at the subscription or at the resource group. */
async function whyRefused(config: AzureConfig, arm: Arm, call: Call): Promise<ConfigIssue[]> {
  const group = config.resource_group;
  try {
    await (group ? arm.resourceGroup(group, call) : arm.anyResourceGroup(call));
    return [];
  } catch (error) {
    if (!isBackendError(error)) throw error;
    const { message, failure } = error;
    if (armCode(error) === 'ResourceGroupNotFound' && group) return [{ path: ['resource_group'], message }];
    if (failure.kind !== 'credentials') throw error;
    return fieldsOf(config, error).map((path) => ({ path, message }));
  }
}

/** Where in the configuration the mistake may be. */
function fieldsOf({ creds }: AzureConfig, error: BackendError): (readonly string[])[] {
  if (/Subscription/.test(armCode(error) ?? '')) return [['subscription_id']];
  // A tenant that exists, and is not the subscription's.
  if (armCode(error) === 'InvalidAuthenticationTokenTenant') return [['tenant_id']];
  if (creds.type === 'default' || armCode(error) === 'AuthorizationFailed') return [['creds']];
  const field = signInField(error);
  if (field === 'tenant_id') return [creds.tenant_id ? ['creds', 'tenant_id'] : ['tenant_id']];
  return field === null ? [['creds', 'client_id'], ['creds', 'client_secret']] : [['creds', field]]; // prettier-ignore
}

async function identityIssues(config: AzureConfig, arm: Arm, call: Call): Promise<ConfigIssue[]> {
  const id = identityId(config);
  if (id === null) return [];
  try {
    await arm.identity(id, call);
    return [];
  } catch (error) {
    if (!isMissing(error)) throw error;
    return [{ path: ['vm_managed_identity'], message: `there is no identity ${config.vm_managed_identity}` }];
  }
}

async function networkIssues(
  region: string,
  config: AzureConfig,
  networks: Networks,
  call: Call,
): Promise<ConfigIssue[]> {
  try {
    await networks.ownSubnet(region, call);
    return [];
  } catch (error) {
    if (!isMissing(error) || !isBackendError(error)) throw error;
    return [
      { path: [config.subnet_ids?.[region] === undefined ? 'vpc_ids' : 'subnet_ids', region], message: error.message },
    ];
  }
}
