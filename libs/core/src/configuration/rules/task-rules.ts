import type * as Wire from '../../wire/generated/api.js';
import { type ConfigurationIssue, schemaIssue } from '../issue.js';
import { checkNodeLimit } from './node-limit.js';
import { firstRepeats } from './repeats.js';
import { checkRun } from './run-rules.js';

export function checkTask(task: Wire.TaskConfiguration): ConfigurationIssue[] {
  const issues = checkRun(task);
  const groups = task.groups ?? null;
  const hasImage = (task.image ?? null) !== null;
  const commands = task.commands ?? [];
  if (groups === null) {
    issues.push(...checkNodeLimit(['nodes'], task.nodes ?? 1, 'nodes'));
    if (commands.length === 0 && !hasImage) issues.push(schemaIssue([], 'either commands or image must be set'));
    return issues;
  }
  if ((task.nodes ?? null) !== null)
    issues.push(schemaIssue(['nodes'], 'nodes and groups are mutually exclusive: give the nodes of each group'));
  const refused = (field: string): void => {
    issues.push(schemaIssue([field], `${field} is not allowed at the top level with groups: set it in each group`));
  };
  if (commands.length > 0) refused('commands');
  if ((task.ports ?? []).length > 0) refused('ports');
  if ((task.entrypoint ?? null) !== null)
    issues.push(schemaIssue(['entrypoint'], 'entrypoint is not allowed with groups'));
  for (const index of firstRepeats(groups.map((group) => group.name ?? ''))) {
    issues.push(schemaIssue(['groups', index, 'name'], `duplicate group name "${groups[index]?.name ?? ''}"`));
  }
  const total = groups.reduce((sum, group) => sum + (group.nodes ?? 1), 0);
  issues.push(...checkNodeLimit(['groups'], total, 'nodes'));
  groups.forEach((group, index) => {
    if ((group.commands ?? []).length === 0 && !hasImage)
      issues.push(schemaIssue(['groups', index], 'either the commands of the group or image must be set'));
  });
  return issues;
}
