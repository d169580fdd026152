import type { SecurityGroup } from '@aws-sdk/client-ec2';
import type { Call } from '@dstack/backend-base';
import type { Ec2 } from './client.js';
import { awsCode } from './errors.js';

/** One for each project and network, made on first need; machines of a project reach each other, people reach SSH. */
export async function ensureSecurityGroup(client: Ec2, vpcId: string, project: string, call: Call): Promise<string> {
  const name = groupName(project);
  const [known] = await client.securityGroups(vpcId, name, call);
  const id = known?.GroupId ?? (await create(client, vpcId, project, call));
  for (const rule of missingRules(known, id)) {
    await client.openSecurityGroup(id, rule, call).catch(unlessDuplicate);
  }
  return id;
}

export function groupName(project: string): string {
  return `dstack_security_group_${project.replaceAll('-', '_').toLowerCase()}`;
}

/** Which of the rules that machines need the group has not got. */
export function missingRules(group: SecurityGroup | undefined, id: string): ('ssh' | 'itself')[] {
  const rules = group?.IpPermissions ?? [];
  const hasSsh = rules.some(
    (rule) =>
      (rule.IpProtocol === '-1' ||
        (rule.IpProtocol === 'tcp' && (rule.FromPort ?? 0) <= 22 && (rule.ToPort ?? 0) >= 22)) &&
      rule.IpRanges?.some(({ CidrIp }) => CidrIp === '0.0.0.0/0'),
  );
  const hasItself = rules.some(
    (rule) => rule.IpProtocol === '-1' && rule.UserIdGroupPairs?.some(({ GroupId }) => GroupId === id),
  );
  return [...(hasSsh ? [] : (['ssh'] as const)), ...(hasItself ? [] : (['itself'] as const))];
}

async function create(client: Ec2, vpcId: string, project: string, call: Call): Promise<string> {
  const name = groupName(project);
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
