import type { BalancerRef, BalancerRequest, Call, Termination } from '@dstack/backend-base';
import type { Ec2 } from './client.js';
import { awsCode } from './errors.js';
import { OWNER_TAG } from './machine-state.js';
import { ensureSecurityGroup, projectGroup, type WantedGroup } from './security-group.js';

const BALANCER = '_balancer';
const MACHINES = '_machines';

export interface GroupIds {
  readonly balancer: string;
  readonly machines: string;
}

type Owned = Pick<BalancerRequest, 'cloudName' | 'owner' | 'project'>;

/** A balancer is open to everybody, and the machines behind it to the balancer alone, so that nobody comes around its TLS. Found by name, made on first need. */
export async function ensureBalancerGroups(client: Ec2, vpcId: string, of: Owned, call: Call): Promise<GroupIds> {
  const balancer = await ensureSecurityGroup(client, vpcId, balancerGroup(of), call);
  const machines = await ensureSecurityGroup(client, vpcId, machinesGroup(of, balancer), call);
  return { balancer, machines };
}

/** Of a machine that is a gateway. @param balancer the name of the one before it; null: it is reached by everybody */
export async function gatewayGroup(
  { owner, project }: Pick<BalancerRequest, 'owner' | 'project'>,
  balancer: string | null,
  client: Ec2,
  vpcId: string,
  call: Call,
): Promise<string> {
  if (balancer === null) return ensureSecurityGroup(client, vpcId, projectGroup(project, 'gateways'), call);
  return (await ensureBalancerGroups(client, vpcId, { cloudName: balancer, owner, project }, call)).machines;
}

/**
 * The group of the machines names the other one, so it goes first. Both are used for a while after what was in them has gone: `pending`.
 * Balancers from before they had groups of their own have none.
 */
export async function deleteBalancerGroups(client: Ec2, cloudName: string, call: Call): Promise<Termination> {
  for (const name of [cloudName + MACHINES, cloudName + BALANCER])
    for (const { GroupId: id } of await client.securityGroups({ name }, call)) {
      if (id === undefined) continue;
      const isUsed = await client.deleteSecurityGroup(id, call).then(() => false, stillUsed);
      if (isUsed) return 'pending';
    }
  return 'done';
}

/** Names of the balancers that this owner's groups are of. */
export async function balancersWithGroups(client: Ec2, owner: string, call: Call): Promise<BalancerRef['cloudName'][]> {
  const groups = await client.securityGroups({ tag: { name: OWNER_TAG, value: owner } }, call);
  const names = groups.flatMap(({ GroupName: name = '' }) =>
    [BALANCER, MACHINES].flatMap((ending) => (name.endsWith(ending) ? [name.slice(0, -ending.length)] : [])),
  );
  return [...new Set(names)];
}

function balancerGroup(of: Owned): WantedGroup {
  return {
    name: of.cloudName + BALANCER,
    description: 'Load balancer of a gateway of dstack: HTTP and HTTPS from anywhere',
    tags: tagsOf(of),
    rules: () => [80, 443].map((port) => ({ port, from: 'anywhere' })),
  };
}

function machinesGroup(of: Owned, balancer: string): WantedGroup {
  return {
    name: of.cloudName + MACHINES,
    description: 'Gateway of dstack behind a load balancer: SSH from anywhere, HTTP from the balancer',
    tags: tagsOf(of),
    rules: () => [
      { port: 22, from: 'anywhere' },
      { port: 80, from: { group: balancer } },
    ],
  };
}

function tagsOf({ owner, project }: Owned): Record<string, string> {
  return { owner: 'dstack', dstack_project: project, [OWNER_TAG]: owner };
}

function stillUsed(error: unknown): boolean {
  const code = awsCode(error) ?? '';
  if (/^InvalidGroup(Id)?\.NotFound$/.test(code)) return false;
  if (code === 'DependencyViolation' || code === 'InvalidGroup.InUse') return true;
  throw error;
}
