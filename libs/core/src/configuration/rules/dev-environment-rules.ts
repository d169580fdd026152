import type * as Wire from '../../wire/generated/api.js';
import { type ConfigurationIssue, schemaIssue } from '../issue.js';
import { checkRun } from './run-rules.js';

export function checkDevEnvironment(env: Wire.DevEnvironmentConfiguration): ConfigurationIssue[] {
  const issues = checkRun(env);
  if ((env.entrypoint ?? null) !== null)
    issues.push(schemaIssue(['entrypoint'], 'entrypoint is not supported for dev environments'));
  const version = env.version ?? null;
  if (version !== null && (env.ide ?? null) === null)
    issues.push(schemaIssue(['version'], 'version requires ide to be set'));
  if (version !== null && env.ide === 'windsurf' && !/^.+@[a-f0-9]+$/.test(version)) {
    issues.push(schemaIssue(['version'], 'the version of windsurf must have the form version@commit'));
  }
  if (env.dstack === true && (env.inactivity_duration ?? null) !== null) {
    issues.push(schemaIssue(['inactivity_duration'], 'inactivity_duration cannot be used with dstack: true'));
  }
  return issues;
}
