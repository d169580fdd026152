import { BackendError, type BackendEnvironment, type Call, isBackendError, Kept } from '@dstack/backend-base';
import { armId, type ArmPlace } from './arm-id.js';
import type { Arm } from './client.js';
import type { AzureConfig } from './definition.js';
import { armCode } from './errors.js';
import { chooseSubnet, whyUnusable } from './network.js';

const NETWORK = 'Microsoft.Network/virtualNetworks';
const SECURITY_GROUP = 'Microsoft.Network/networkSecurityGroups';

/** How long between two looks at something that is being made, and for how many. */
const LOOK_MS = 1_000;
const LOOKS = 60;

type NetworkConfig = Pick<AzureConfig, 'vpc_ids' | 'subnet_ids' | 'public_ips' | 'subscription_id'>;

/** Where the machines of a region are, as the configuration chooses it; default networks and the security group are made on first need. */
export class Networks {
  private readonly subnets: Kept<string>;
  private readonly groups: Kept<string>;

  constructor(
    private readonly config: NetworkConfig,
    private readonly arm: Arm,
    private readonly environment: Pick<BackendEnvironment, 'now' | 'sleep'>,
    keptMs: number,
  ) {
    this.subnets = new Kept(keptMs, environment.now);
    this.groups = new Kept(keptMs, environment.now);
  }

  /** The id of a subnet. @throws {BackendError} that blocks the region when it has none that will do */
  subnet(region: string, resourceGroup: string, call: Call): Promise<string> {
    return this.subnets.get(`${resourceGroup} ${region}`, call, () =>
      this.ownSubnet(region, call).then((own) => own ?? this.defaultSubnet(region, resourceGroup, call)),
    );
  }

  /** The id of the security group of a region that is for this. One that exists is taken as it is. */
  securityGroup(use: SecurityGroupUse, region: string, resourceGroup: string, call: Call): Promise<string> {
    return this.groups.get(`${use} ${resourceGroup} ${region}`, call, async () => {
      const place = { group: resourceGroup, name: `${resourceGroup}-${region}-${use}-security-group` };
      const look = () => this.arm.securityGroup(place, call);
      const known = await orMissing(look());
      if (known === null)
        await this.arm.createSecurityGroup(place, { location: region, securityRules: [RULES[use]] }, call);
      if (known?.provisioningState !== 'Succeeded') await this.settled(place, look, call);
      return this.id(place, SECURITY_GROUP);
    });
  }

  /** What an error says is not there any more is looked for anew next time. */
  forget(region: string, resourceGroup: string, error: unknown): void {
    if (!/^(InvalidResourceReference|SubnetIsFull|SubnetWithExternal|ResourceGroupNotFound)/.test(armCode(error) ?? ''))
      return;
    this.subnets.forget(`${resourceGroup} ${region}`);
    for (const use of ['default', 'gateway'] as const) this.groups.forget(`${use} ${resourceGroup} ${region}`);
  }

  /** Null: the configuration names none for the region. @throws {BackendError} */
  async ownSubnet(region: string, call: Call): Promise<string | null> {
    const network = this.config.vpc_ids?.[region];
    const subnet = this.config.subnet_ids?.[region];
    const [group = '', name = '', wanted] = (subnet ?? network ?? '').split('/');
    if (group === '') return null;
    const place = { group, name };
    const found = await this.arm.network(place, call).catch((error: unknown) => {
      throw isMissing(error) ? unusable(`there is no network ${group}/${name}`, error) : error;
    });
    if (found.location !== region)
      throw unusable(`network ${group}/${name} is in ${found.location ?? 'no region'}, not in ${region}`);
    const needs = {
      egress: this.config.public_ips === false,
      isPeered: (found.virtualNetworkPeerings ?? []).length > 0,
    };
    const subnets = await this.arm.subnets(place, call);
    const chosen =
      wanted === undefined
        ? chooseSubnet(subnets, needs)
        : (subnets.find((each) => each.name?.toLowerCase() === wanted.toLowerCase()) ?? null);
    if (chosen === null)
      throw unusable(
        explainNone(
          `${group}/${name}`,
          wanted,
          subnets.flatMap((each) => whyUnusable(each, needs) ?? []),
        ),
      );
    const why = whyUnusable(chosen, needs);
    if (why !== null) throw unusable(`in network ${group}/${name}, ${why}`);
    return chosen.id ?? `${this.id(place, NETWORK)}/subnets/${chosen.name ?? ''}`;
  }

  private async defaultSubnet(region: string, resourceGroup: string, call: Call): Promise<string> {
    const place = { group: resourceGroup, name: `${resourceGroup}-${region}-default-network` };
    const subnet = `${resourceGroup}-${region}-default-subnet`;
    const look = () => this.arm.network(place, call);
    // Making one that exists would take away what people added to it.
    const known = await orMissing(look());
    if (known === null) {
      const subnets = [{ name: subnet, addressPrefix: '10.0.0.0/20' }];
      const addressSpace = { addressPrefixes: ['10.0.0.0/16'] };
      await this.arm.createNetwork(place, { location: region, addressSpace, subnets }, call);
    }
    if (known?.provisioningState !== 'Succeeded') await this.settled(place, look, call);
    return `${this.id(place, NETWORK)}/subnets/${subnet}`;
  }

  private async settled(
    { name }: ArmPlace,
    look: () => Promise<{ readonly provisioningState?: string }>,
    call: Call,
  ): Promise<void> {
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const { provisioningState: state } = await look();
      if (state === 'Succeeded') return;
      if (state === 'Failed') break;
      await this.environment.sleep(LOOK_MS, call.signal);
    }
    throw new BackendError({ kind: 'outage', blocks: 'region' }, `Azure did not make ${name}`);
  }

  private id({ group, name }: ArmPlace, kind: string): string {
    return armId(this.config.subscription_id, group, kind, name);
  }
}

const FROM_ANYWHERE = {
  protocol: 'Tcp',
  sourceAddressPrefix: 'Internet',
  sourcePortRange: '*',
  destinationAddressPrefix: '*',
  access: 'Allow',
  direction: 'Inbound',
};

/** Machines of jobs are reached by SSH, gateways also by HTTP; machines of a network reach each other by Azure's own rules. */
const RULES = {
  default: { ...FROM_ANYWHERE, name: 'runner_ssh', priority: 100, destinationPortRange: '22' },
  gateway: { ...FROM_ANYWHERE, name: 'gateway_all', priority: 101, destinationPortRanges: ['22', '80', '443'] },
};

export type SecurityGroupUse = keyof typeof RULES;

function explainNone(network: string, wanted: string | undefined, reasons: readonly string[]): string {
  if (wanted !== undefined) return `network ${network} has no subnet ${wanted}`;
  return `network ${network} has no subnet for machines${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`;
}

function unusable(text: string, cause?: unknown): BackendError {
  return new BackendError({ kind: 'not-found', blocks: 'region' }, text, { cause });
}

export function isMissing(error: unknown): boolean {
  return isBackendError(error) && error.failure.kind === 'not-found';
}

async function orMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
