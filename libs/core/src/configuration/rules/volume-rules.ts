import { type ConfigurationIssue, semanticIssue } from '../issue.js';
import type { VolumeConfiguration } from '../volume.js';
import { checkResourceName } from './resource-name.js';

export function checkVolume(volume: VolumeConfiguration): ConfigurationIssue[] {
  const issues = checkResourceName(volume.name);
  const externalId = 'claim_name' in volume ? 'claim_name' : 'volume_id';
  const external =
    ('claim_name' in volume ? volume.claim_name : 'volume_id' in volume ? volume.volume_id : null) ?? null;
  if ((volume.size ?? null) === null && external === null)
    issues.push(semanticIssue([], `either size or ${externalId} must be set`));
  if (external !== null && (volume.auto_cleanup_duration ?? -1) >= 0) {
    issues.push(
      semanticIssue(['auto_cleanup_duration'], `is not supported for an external volume (${externalId} is set)`),
    );
  }
  return issues;
}
