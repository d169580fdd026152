import type * as Wire from '../../wire/generated/api.js';
import { type ConfigurationIssue, semanticIssue } from '../issue.js';
import { checkImageSources } from './image-sources.js';
import { checkReferences } from './reference-rules.js';
import { checkResourceName } from './resource-name.js';

type RunConfiguration = Wire.TaskConfiguration | Wire.DevEnvironmentConfiguration | Wire.ServiceConfiguration;

/** What holds for every run. */
export function checkRun(run: RunConfiguration): ConfigurationIssue[] {
  return [
    ...checkResourceName(run.name),
    ...checkImageSources(run),
    ...checkRetry(run.retry),
    ...checkArchitecture(run),
    ...checkReferences(run),
  ];
}

function checkRetry(retry: RunConfiguration['retry']): ConfigurationIssue[] {
  const seconds = typeof retry === 'object' && retry !== null ? retry.duration : null;
  return seconds !== null && seconds !== undefined && seconds < 0
    ? [semanticIssue(['retry', 'duration'], `must not be negative, is ${seconds} s`)]
    : [];
}

/** The default image and Docker-in-Docker exist for x86 only. */
function checkArchitecture(run: RunConfiguration): ConfigurationIssue[] {
  if (run.resources?.cpu?.arch !== 'arm') return [];
  const at = ['resources', 'cpu'];
  if (run.docker === true) return [semanticIssue(at, 'docker: true does not support the arm architecture')];
  const groups = 'replicas' in run && Array.isArray(run.replicas) ? run.replicas : [];
  if ((run.image ?? null) !== null || groups.length > 0) return [];
  return [semanticIssue(at, 'the default image does not support the arm architecture: set image')];
}
