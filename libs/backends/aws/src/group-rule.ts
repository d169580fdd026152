import type { IpPermission } from '@aws-sdk/client-ec2';

const ANYWHERE = '0.0.0.0/0';

/** What a security group lets in. */
export interface GroupRule {
  readonly port: number | 'any';
  /** `group`: the id of a group, whose machines and balancers may come. */
  readonly from: 'anywhere' | { readonly group: string };
}

export function permissionOf({ port, from }: GroupRule): IpPermission {
  return {
    ...(port === 'any' ? { IpProtocol: '-1' } : { IpProtocol: 'tcp', FromPort: port, ToPort: port }),
    ...(from === 'anywhere' ? { IpRanges: [{ CidrIp: ANYWHERE }] } : { UserIdGroupPairs: [{ GroupId: from.group }] }),
  };
}

/** Also by a rule that is wider. */
export function isAllowed(permissions: readonly IpPermission[], { port, from }: GroupRule): boolean {
  return permissions.some(
    ({ IpProtocol: protocol, FromPort: first = 0, ToPort: last = 0, IpRanges: ranges, UserIdGroupPairs: groups }) => {
      const hasPort = protocol === '-1' || (port !== 'any' && protocol === 'tcp' && first <= port && last >= port);
      if (from === 'anywhere') return hasPort && ranges?.some(({ CidrIp }) => CidrIp === ANYWHERE) === true;
      return hasPort && groups?.some(({ GroupId }) => GroupId === from.group) === true;
    },
  );
}
