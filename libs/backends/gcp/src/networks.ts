import { BackendError, type Call, Kept } from '@dstack/backend-base';
import type { Gce } from './client.js';
import type { GcpConfig } from './definition.js';
import { isConflict } from './errors.js';
import { extraCards, type NetworkChoice, roceCards } from './network-cards.js';
import {
  firewallRule,
  type GATEWAY_TAG,
  type MACHINE_TAG,
  networkPath,
  type SubnetsByRegion,
  subnetsOf,
} from './network.js';
import type { GceSubnet } from './schema.js';

/** Google allows few such requests a minute. */
const SUBNETS_KEPT_MS = 120_000;

type NetworkConfig = Pick<
  GcpConfig,
  'project_id' | 'vpc_name' | 'vpc_project_id' | 'extra_vpcs' | 'roce_vpcs' | 'public_ips'
>;

/** The networks that the configuration chooses, their subnets, and the firewall rules that let people in. */
export class Networks {
  readonly path: string;
  private readonly project: string;
  private readonly subnets: Kept<GceSubnet[]>;
  private readonly rules: Kept<true>;

  constructor(
    private readonly config: NetworkConfig,
    private readonly gce: Gce,
    now: () => number,
  ) {
    this.project = config.vpc_project_id ?? config.project_id;
    this.path = networkPath(this.project, config.vpc_name ?? 'default');
    this.subnets = new Kept(SUBNETS_KEPT_MS, now);
    this.rules = new Kept(Infinity, now);
  }

  /** Of the main network. */
  async usable(call: Call): Promise<SubnetsByRegion> {
    return subnetsOf(this.path, await this.all(call));
  }

  /** @throws {BackendError} that blocks the region when one of the networks has no subnet there */
  async choice(type: string, region: string, call: Call): Promise<NetworkChoice> {
    const { vpc_name: name, extra_vpcs: extra, roce_vpcs: roce, public_ips: publicIps } = this.config;
    const others = extraCards(type) + roceCards(type);
    // Of a network that makes its own subnets Google finds the region's by itself.
    const subnets = name || others > 0 ? await this.all(call) : [];
    const [roceName] = roce ?? [];
    return {
      main: { network: this.path, subnetwork: name ? this.first(this.path, subnets, region) : null },
      publicIps: publicIps ?? true,
      extra: (extra ?? []).slice(0, extraCards(type)).map((each) => {
        const network = networkPath(this.project, each);
        return { network, subnetwork: this.first(network, subnets, region) };
      }),
      roce:
        roceName === undefined
          ? null
          : {
              network: networkPath(this.project, roceName),
              subnetworks: subnetsOf(networkPath(this.project, roceName), subnets).get(region) ?? [],
            },
    };
  }

  /** Made once; a shared network is looked after by its owners. */
  async letIn(tag: typeof MACHINE_TAG | typeof GATEWAY_TAG, call: Call): Promise<void> {
    if (this.config.vpc_project_id && this.config.vpc_project_id !== this.config.project_id) return;
    await this.rules.get(tag, call, async () => {
      const { name, network, ports, targetTag } = firewallRule(this.path, tag);
      const body = {
        name,
        network,
        direction: 'INGRESS',
        allowed: [{ IPProtocol: 'tcp', ports }],
        sourceRanges: ['0.0.0.0/0'],
        targetTags: [targetTag],
      };
      try {
        await this.gce.insertFirewall(body, call);
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      return true;
    });
  }

  private first(network: string, subnets: readonly GceSubnet[], region: string): string {
    const [first] = subnetsOf(network, subnets).get(region) ?? [];
    if (first !== undefined) return first;
    const text = `${network} has no subnet in ${region} that the account may use`;
    throw new BackendError({ kind: 'not-found', blocks: 'region' }, text);
  }

  private all(call: Call): Promise<GceSubnet[]> {
    return this.subnets.get('', call, () => this.gce.usableSubnets(this.project, call));
  }
}
