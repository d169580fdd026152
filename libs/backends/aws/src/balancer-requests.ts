import type {
  CreateListenerCommandInput,
  CreateLoadBalancerCommandInput,
  CreateTargetGroupCommandInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { BackendError, type BalancerRequest } from '@dstack/backend-base';
import { OWNER_TAG } from './machine-state.js';
import type { UsableSubnet } from './network.js';
import type { Network } from './networks.js';

/** TLS 1.2 and 1.3. */
const TLS_POLICY = 'ELBSecurityPolicy-TLS13-1-2-2021-06';
/** The gateway answers there whatever name it is asked for. */
const HTTP_PORT = 80;
/** A service may think for long before its first word, or has to be started: the default of a minute cuts it off. */
const IDLE_SECONDS = 600;

export type BalancerTags = { readonly Key: string; readonly Value: string }[];

/** One of each zone: AWS takes no two, and wants two zones at least. @throws {BackendError} */
export function balancerSubnets({ vpcId, subnets }: Network): UsableSubnet[] {
  const byZone = new Map(subnets.toReversed().map((subnet) => [subnet.zone, subnet]));
  if (byZone.size >= 2) return [...byZone.values()].sort((a, b) => a.zone.localeCompare(b.zone));
  const text = `a load balancer needs subnets with a way to the internet in two zones; network ${vpcId} has them in ${[...byZone.keys()].join(', ')} only`;
  throw new BackendError({ kind: 'rejected', blocks: 'region' }, text);
}

export function balancerInput(
  request: BalancerRequest,
  subnets: readonly UsableSubnet[],
  place: { readonly securityGroupId: string; readonly tags: BalancerTags },
): CreateLoadBalancerCommandInput {
  return {
    Name: request.cloudName,
    Subnets: subnets.map(({ id }) => id),
    SecurityGroups: [place.securityGroupId],
    Scheme: request.isPublic ? 'internet-facing' : 'internal',
    Type: 'application',
    IpAddressType: 'ipv4',
    Tags: place.tags,
  };
}

export const BALANCER_ATTRIBUTES = { 'idle_timeout.timeout_seconds': String(IDLE_SECONDS) } as const;

export function targetGroupInput(name: string, vpcId: string, tags: BalancerTags): CreateTargetGroupCommandInput {
  return {
    Name: name,
    Protocol: 'HTTP',
    Port: HTTP_PORT,
    VpcId: vpcId,
    TargetType: 'instance',
    HealthCheckPath: '/',
    HealthCheckIntervalSeconds: 10,
    HealthyThresholdCount: 2,
    // There is no service of the name by which a gateway is asked for its health.
    Matcher: { HttpCode: '200-499' },
    Tags: tags,
  };
}

/** HTTPS goes to the gateways, and HTTP to HTTPS. */
export function listenerInputs(
  balancerArn: string,
  groupArn: string,
  { certificate, tags }: { readonly certificate: string; readonly tags: BalancerTags },
): CreateListenerCommandInput[] {
  const base = { LoadBalancerArn: balancerArn, Tags: tags };
  return [
    {
      ...base,
      Protocol: 'HTTPS',
      Port: 443,
      SslPolicy: TLS_POLICY,
      Certificates: [{ CertificateArn: certificate }],
      DefaultActions: [{ Type: 'forward', TargetGroupArn: groupArn }],
    },
    {
      ...base,
      Protocol: 'HTTP',
      Port: 80,
      DefaultActions: [
        { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
      ],
    },
  ];
}

export const targetOf = (machineId: string) => ({ Id: machineId, Port: HTTP_PORT });

/** As those of machines: what a configuration adds comes first and loses. */
export function balancerTags(request: BalancerRequest, configured: Readonly<Record<string, string>>): BalancerTags {
  const tags = {
    ...configured,
    ...request.tags,
    Name: request.cloudName,
    owner: 'dstack',
    dstack_project: request.project,
    dstack_name: request.gatewayName,
    [OWNER_TAG]: request.owner,
  };
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
