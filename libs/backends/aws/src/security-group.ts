import type { SecurityGroup } from '@aws-sdk/client-ec2';
import type { Call } from '@dstack/backend-base';
import type { Ec2 } from './client.js';
import { awsCode } from './errors.js';

/** `itself`: machines of the group reach each other. */
export type GroupRule = 'ssh' | 'http' | 'https' | 'itself';
/** Gateways are no machines of a project's jobs: they are reached by everybody, and reach jobs over SSH. */
export type GroupUse = 'jobs' | 'gateways';

const RULES: Readonly<Record<GroupUse, readonly GroupRule[]>> = {
  jobs: ['ssh', 'itself'],
  gateways: ['ssh', 'http', 'https'],
};
export const RULE_PORTS: Readonly<Record<Exclude<GroupRule, 'itself'>, number>> = { ssh: 22, http: 80, https: 443 };

/** One for each project, network and use, made on first need. */
export async function ensureSecurityGroup(
  client: Ec2,
  vpcId: string,
  { project, use }: { readonly project: string; readonly use: GroupUse },
  call: Call,
): Promise<string> {
  const name = groupName(project, use);
  const [known] = await client.securityGroups(vpcId, name, call);
  const id = known?.GroupId ?? (await create(client, vpcId, { project, name }, call));
  for (const rule of missingRules(known, id, use)) {
    await client.openSecurityGroup(id, rule, call).catch(unlessDuplicate);
  }
  return id;
}

export function groupName(project: string, use: GroupUse = 'jobs'): string {
  const kind = use === 'gateways' ? 'gw_' : '';
  return `dstack_${kind}security_group_${project.replaceAll('-', '_').toLowerCase()}`;
}

/** Which of the rules that machines need the group has not got. */
export function missingRules(group: SecurityGroup | undefined, id: string, use: GroupUse = 'jobs'): GroupRule[] {
  const rules = group?.IpPermissions ?? [];
  const hasPort = (port: number): boolean =>
    rules.some(
      (rule) =>
        (rule.IpProtocol === '-1' ||
          (rule.IpProtocol === 'tcp' && (rule.FromPort ?? 0) <= port && (rule.ToPort ?? 0) >= port)) &&
        rule.IpRanges?.some(({ CidrIp }) => CidrIp === '0.0.0.0/0'),
    );
  const hasItself = rules.some(
    (rule) => rule.IpProtocol === '-1' && rule.UserIdGroupPairs?.some(({ GroupId }) => GroupId === id),
  );
  return RULES[use].filter((rule) => !(rule === 'itself' ? hasItself : hasPort(RULE_PORTS[rule])));
}

async function create(
  client: Ec2,
  vpcId: string,
  { project, name }: { readonly project: string; readonly name: string },
  call: Call,
): Promise<string> {
  try {
    return await client.createSecurityGroup(vpcId, name, { owner: 'dstack', dstack_project: project }, call);
  } catch (error) {
    // Another server, or another launch, was a moment faster.
    if (awsCode(error) !== 'InvalidGroup.Duplicate') throw error;
    const [made] = await client.securityGroups(vpcId, name, call);
    if (made?.GroupId === undefined) throw error;
    return made.GroupId;
  }
}

function unlessDuplicate(error: unknown): void {
  if (awsCode(error) !== 'InvalidPermission.Duplicate') throw error;
}
