import type { SecurityGroup } from '@aws-sdk/client-ec2';
import type { Call } from '@dstack/backend-base';
import type { Ec2 } from './client.js';
import { awsCode } from './errors.js';
import { type GroupRule, isAllowed } from './group-rule.js';

/** Gateways are no machines of a project's jobs: they are reached by everybody, and reach jobs over SSH. */
export type GroupUse = 'jobs' | 'gateways';

export interface WantedGroup {
  /** Unique in its network. */
  readonly name: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  /** @param id of the group itself */
  readonly rules: (id: string) => readonly GroupRule[];
}

/** One for each project, network and use. */
export function projectGroup(project: string, use: GroupUse): WantedGroup {
  const kind = use === 'gateways' ? 'gw_' : '';
  return {
    name: `dstack_${kind}security_group_${project.replaceAll('-', '_').toLowerCase()}`,
    description:
      use === 'gateways'
        ? 'Gateways of dstack: SSH, HTTP and HTTPS from anywhere'
        : 'Machines of dstack: SSH from anywhere, everything from each other',
    tags: { owner: 'dstack', dstack_project: project },
    rules: (id) =>
      use === 'gateways'
        ? [22, 80, 443].map((port) => ({ port, from: 'anywhere' }))
        : [
            { port: 22, from: 'anywhere' },
            { port: 'any', from: { group: id } },
          ],
  };
}

/** Made on first need. Gives its id. */
export async function ensureSecurityGroup(
  client: Ec2,
  vpcId: string,
  wanted: WantedGroup,
  call: Call,
): Promise<string> {
  const [known] = await client.securityGroups({ vpcId, name: wanted.name }, call);
  const id = known?.GroupId ?? (await create(client, vpcId, wanted, call));
  for (const rule of missingRules(known, wanted.rules(id)))
    await client.openSecurityGroup(id, rule, call).catch(unlessDuplicate);
  return id;
}

export function missingRules(group: SecurityGroup | undefined, rules: readonly GroupRule[]): GroupRule[] {
  return rules.filter((rule) => !isAllowed(group?.IpPermissions ?? [], rule));
}

async function create(client: Ec2, vpcId: string, wanted: WantedGroup, call: Call): Promise<string> {
  try {
    return await client.createSecurityGroup(vpcId, wanted, call);
  } catch (error) {
    // Another server, or another launch, was a moment faster.
    if (awsCode(error) !== 'InvalidGroup.Duplicate') throw error;
    const [made] = await client.securityGroups({ vpcId, name: wanted.name }, call);
    if (made?.GroupId === undefined) throw error;
    return made.GroupId;
  }
}

function unlessDuplicate(error: unknown): void {
  if (awsCode(error) !== 'InvalidPermission.Duplicate') throw error;
}
