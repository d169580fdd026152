import type * as Wire from '../../wire/generated/api.js';
import { findReferences } from '../interpolation.js';
import { type ConfigurationIssue, semanticIssue } from '../issue.js';
import { checkResourceName } from './resource-name.js';

const maxReplicas = 3;

export function checkGateway(gateway: Wire.GatewayConfiguration): ConfigurationIssue[] {
  const issues = checkResourceName(gateway.name);
  const replicas = gateway.replicas ?? 1;
  const certificate = gateway.certificate?.type;
  if (replicas > maxReplicas)
    issues.push(semanticIssue(['replicas'], `must be at most ${maxReplicas}, is ${replicas}`));
  if (certificate === 'lets-encrypt' && gateway.public_ip === false) {
    issues.push(
      semanticIssue(['certificate'], 'lets-encrypt needs a public IP: set certificate: null or an acm certificate'),
    );
  }
  if (certificate === 'lets-encrypt' && replicas > 1) {
    issues.push(
      semanticIssue(
        ['certificate'],
        'lets-encrypt is not supported with several replicas: set certificate: null or an acm certificate',
      ),
    );
  }
  if (certificate === 'acm' && gateway.backend !== 'aws')
    issues.push(semanticIssue(['certificate'], 'an acm certificate needs backend: aws'));
  for (const problem of findReferences(gateway.domain ?? '', ['run.project_name']).problems)
    issues.push(semanticIssue(['domain'], problem));
  return issues;
}
