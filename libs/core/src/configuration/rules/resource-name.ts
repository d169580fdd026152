import { RESOURCE_NAME_PATTERN, isResourceName } from '../../names/name-rules.js';
import { type ConfigurationIssue, semanticIssue } from '../issue.js';

/** The name of a run, fleet, volume or gateway. */
export function checkResourceName(name: string | null | undefined): ConfigurationIssue[] {
  if (name === null || name === undefined || isResourceName(name)) return [];
  return [
    semanticIssue(
      ['name'],
      `resource name must match ${RESOURCE_NAME_PATTERN.source}: 2 to 41 lower-case letters, digits or -, starting with a letter`,
    ),
  ];
}
