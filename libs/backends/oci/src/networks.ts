import { type BackendEnvironment, type Call, Kept } from '@dstack/backend-base';
import type { Oci, PartKind } from './client.js';
import type { NetworkPart, Vcn } from './schema.js';
import { settled } from './settled.js';
import { steadyToken } from './steady-token.js';

export interface Network {
  readonly subnetId: string;
  readonly securityGroupId: string;
}

const KEPT_MS = 600_000;
const LOOK_MS = 1_000;
const RANGE = '10.0.0.0/16';
const EVERYWHERE = '0.0.0.0/0';

/** The default network of a project in each region, made on first need; what is there already is completed, and nothing taken from it. */
export class Networks {
  private readonly kept: Kept<Network>;

  constructor(private readonly environment: Pick<BackendEnvironment, 'now' | 'sleep'>) {
    this.kept = new Kept(KEPT_MS, environment.now);
  }

  of(project: string, compartmentId: string, client: Oci, call: Call): Promise<Network> {
    return this.kept.get(`${compartmentId} ${client.region}`, call, async () => {
      const maker = new NetworkMaker(`dstack-${project}-default`, compartmentId, client, this.environment, call);
      return maker.make();
    });
  }

  forget(compartmentId: string, region: string): void {
    this.kept.forget(`${compartmentId} ${region}`);
  }
}

class NetworkMaker {
  constructor(
    private readonly prefix: string,
    private readonly compartmentId: string,
    private readonly client: Oci,
    private readonly environment: Pick<BackendEnvironment, 'sleep'>,
    private readonly call: Call,
  ) {}

  async make(): Promise<Network> {
    const vcn = await this.vcn();
    const [subnet, group] = await Promise.all([this.subnet(vcn), this.securityGroup(vcn), this.wayOut(vcn)]);
    return { subnetId: subnet.id, securityGroupId: group };
  }

  private async vcn(): Promise<Vcn> {
    const { client, compartmentId, call } = this;
    const displayName = `${this.prefix}-vcn`;
    const known = alive(await client.vcns(compartmentId, displayName, call));
    if (known !== undefined) return known;
    const body = { compartmentId, displayName, cidrBlocks: [RANGE], freeformTags: OWNED };
    const { id } = await steadyToken(compartmentId, `${client.region}/${displayName}`, (token) =>
      client.createVcn(body, token, call),
    );
    return this.whenThere(displayName, () => client.vcn(id, call));
  }

  private async subnet(vcn: Vcn): Promise<NetworkPart> {
    // Of the whole region: without an availability domain.
    const made = await this.part('subnets', vcn, `${this.prefix}-subnet`, { cidrBlock: RANGE });
    return this.whenThere(`${this.prefix}-subnet`, () => this.client.subnet(made.id, this.call));
  }

  /** Rules that others added to the table stay. */
  private async wayOut(vcn: Vcn): Promise<void> {
    const gateway = await this.part('internetGateways', vcn, `${this.prefix}-internet-gateway`, { isEnabled: true });
    const tableId = vcn.defaultRouteTableId ?? '';
    const { routeRules } = await this.client.routeTable(tableId, this.call);
    if (routeRules.some(({ destination }) => destination === EVERYWHERE)) return;
    const rule = { destination: EVERYWHERE, destinationType: 'CIDR_BLOCK', networkEntityId: gateway.id };
    await this.client.updateRoutes(tableId, [...routeRules, rule], this.call);
  }

  /** Everything from each other; SSH comes in by the network's own list. */
  private async securityGroup(vcn: Vcn): Promise<string> {
    const { client, call } = this;
    const { id } = await this.part('networkSecurityGroups', vcn, `${this.prefix}-security-group`, {});
    const rules = await client.securityRules(id, call);
    if (!rules.some(({ direction, protocol, source }) => direction === 'INGRESS' && protocol === 'all' && source === id))
      await client.addSecurityRule(id, { direction: 'INGRESS', protocol: 'all', source: id, sourceType: 'NETWORK_SECURITY_GROUP' }, call); // prettier-ignore
    return id;
  }

  private async part(kind: PartKind, { id: vcnId }: Vcn, displayName: string, more: object): Promise<NetworkPart> {
    const { client, compartmentId, call } = this;
    const known = alive(await client.networkParts(kind, compartmentId, vcnId, displayName, call));
    if (known !== undefined) return known;
    const body = { compartmentId, vcnId, displayName, freeformTags: OWNED, ...more };
    return steadyToken(vcnId, displayName, (token) => client.createNetworkPart(kind, body, token, call));
  }

  private whenThere<T extends { readonly lifecycleState: string }>(what: string, look: () => Promise<T>): Promise<T> {
    return settled(look, { wanted: 'AVAILABLE', everyMs: LOOK_MS, what }, this.environment, this.call);
  }
}

const OWNED = { owner: 'dstack' };

/** Lists hold what is gone for a while. */
function alive<T extends { readonly lifecycleState: string }>(found: readonly T[]): T | undefined {
  return found.find(({ lifecycleState }) => /^(AVAILABLE|PROVISIONING|UPDATING)$/.test(lifecycleState));
}
