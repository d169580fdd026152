import { BackendError, type Call, Kept } from '@dstack/backend-base';
import type { Ec2 } from './client.js';
import type { AwsConfig } from './definition.js';
import { awsCode } from './errors.js';
import { type UsableSubnet, usableSubnets } from './network.js';

export interface Network {
  readonly vpcId: string;
  readonly subnets: readonly UsableSubnet[];
}

type NetworkConfig = Pick<AwsConfig, 'vpc_ids' | 'vpc_name' | 'default_vpcs' | 'public_ips'>;

/** The network of each region as the configuration chooses it: by id, by name, or the region's default one. */
export class Networks {
  private readonly kept: Kept<Network>;

  constructor(
    private readonly config: NetworkConfig,
    keptMs: number,
    now: () => number,
  ) {
    this.kept = new Kept(keptMs, now);
  }

  /** @throws {BackendError} that blocks the region when it has none that will do */
  of(region: string, client: Ec2, call: Call, isPublic = this.config.public_ips ?? true): Promise<Network> {
    return this.kept.get(keyOf(region, isPublic), call, async () => {
      const vpcId = await this.vpcOf(region, client, call);
      const [subnets, tables] = await Promise.all([client.subnets(vpcId, call), client.routeTables(vpcId, call)]);
      const usable = usableSubnets(subnets, tables, isPublic);
      if (usable.length === 0) {
        const way = isPublic ? 'an internet gateway' : 'a NAT, transit or peering gateway';
        throw missing(`network ${vpcId} in ${region} has no subnet with a route to ${way}`);
      }
      return { vpcId, subnets: usable };
    });
  }

  /** What an error says is not there any more is looked for anew next time. */
  forget(region: string, error: unknown): void {
    if (/^Invalid(SubnetID|Group|VpcID)\b/.test(awsCode(error) ?? ''))
      for (const isPublic of [true, false]) this.kept.forget(keyOf(region, isPublic));
  }

  private async vpcOf(region: string, client: Ec2, call: Call): Promise<string> {
    const { vpc_ids: ids, vpc_name: name, default_vpcs: mayBeDefault } = this.config;
    const id = ids?.[region];
    if (id !== undefined) return id;
    if (ids && mayBeDefault === false) throw missing(`vpc_ids names no network for ${region}, and default_vpcs is off`);
    const filter = name ? { Name: 'tag:Name', Values: [name] } : { Name: 'is-default', Values: ['true'] };
    const [found] = await client.vpcs([filter], call);
    if (found !== undefined) return found;
    throw missing(
      name
        ? `${region} has no network of the name ${name}`
        : `${region} has no default network: set vpc_name or vpc_ids`,
    );
  }
}

const keyOf = (region: string, isPublic: boolean): string => `${region} ${isPublic ? 'public' : 'private'}`;

function missing(text: string): BackendError {
  return new BackendError({ kind: 'not-found', blocks: 'region' }, text);
}
