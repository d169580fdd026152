import type { GatewayConfiguration } from '../gateway.js';
import { findReferences } from '../interpolation.js';
import { type ConfigurationIssue, semanticIssue } from '../issue.js';
import { checkResourceName } from './resource-name.js';

const maxReplicas = 3;

export function checkGateway(gateway: GatewayConfiguration): ConfigurationIssue[] {
  const issues = [...checkResourceName(gateway.name), ...checkOwnHosts(gateway)];
  const replicas = gateway.replicas ?? 1;
  const certificate = gateway.certificate?.type;
  if (replicas > maxReplicas)
    issues.push(semanticIssue(['replicas'], `must be at most ${maxReplicas}, is ${replicas}`));
  if (certificate === 'lets-encrypt' && gateway.public_ip === false) {
    issues.push(
      semanticIssue(['certificate'], 'lets-encrypt needs a public IP: set certificate: null or an acm certificate'),
    );
  }
  if (certificate === 'acm' && gateway.backend !== 'aws')
    issues.push(semanticIssue(['certificate'], 'an acm certificate needs backend: aws'));
  issues.push(...checkCertificateRegion(gateway));
  if (gateway.backend === 'kubernetes' && gateway.instance_type)
    issues.push(semanticIssue(['instance_type'], 'a gateway on kubernetes is a pod: remove it'));
  for (const problem of findReferences(gateway.domain ?? '', ['run.project_name']).problems)
    issues.push(semanticIssue(['domain'], problem));
  return issues;
}

/** A load balancer takes certificates of its own region only. */
function checkCertificateRegion({ certificate, region }: GatewayConfiguration): ConfigurationIssue[] {
  if (certificate?.type !== 'acm') return [];
  const elsewhere = /^arn:aws[a-z-]*:acm:([a-z0-9-]+):/.exec(certificate.arn)?.[1];
  if (elsewhere === undefined || elsewhere === region) return [];
  const text = `is in ${elsewhere}, and the gateway in ${region}: name a certificate of that region`;
  return [semanticIssue(['certificate', 'arn'], text)];
}

function checkOwnHosts({ backend, ssh_config: ssh, replicas }: GatewayConfiguration): ConfigurationIssue[] {
  if (ssh === undefined)
    return backend === 'remote'
      ? [semanticIssue(['ssh_config'], 'backend: ssh needs the hosts that are to be the gateway: set ssh_config')]
      : [];
  if (backend !== 'remote') return [semanticIssue(['ssh_config'], 'hosts of your own need backend: ssh')];
  const { length } = ssh.hosts;
  if (length === 0) return [semanticIssue(['ssh_config', 'hosts'], 'names no host')];
  if (length > maxReplicas)
    return [semanticIssue(['ssh_config', 'hosts'], `must name at most ${maxReplicas} hosts, names ${length}`)];
  if (typeof replicas === 'number' && replicas !== length)
    return [semanticIssue(['replicas'], `each host is a replica: remove replicas, or name ${replicas} hosts`)];
  const names = ssh.hosts.map((host) => (typeof host === 'string' ? host : host.hostname));
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) return [semanticIssue(['ssh_config', 'hosts'], `names ${repeated} twice`)];
  return [];
}
