import type { BackendDefinition } from '@dstack/backend-base';
import { load, YAMLException } from 'js-yaml';
import { ClientError } from '../http/api-errors.js';
import { type CredentialRules, whyNoAmbientCredentials } from './ambient-credentials.js';
import type { BackendConfig } from './backend-store.js';

/** The text of a backend's configuration as a value with a type; what its type makes of it is the definition's. */
export function parseBackendYaml(text: string): BackendConfig {
  let value: unknown;
  try {
    value = load(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? '' : ` in line ${error.mark.line + 1}`;
    throw new ClientError(`The configuration is not YAML${line}: ${error.reason}`);
  }
  return requireType(value);
}

export function requireType(value: unknown): BackendConfig {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    throw new ClientError('A backend configuration is a mapping with a type, such as "type: aws"');
  return value as BackendConfig;
}

/** @throws {ClientError} with the path of every field that is wrong */
export function checkBackendConfig(
  definition: BackendDefinition,
  config: BackendConfig,
  rules: CredentialRules,
): BackendConfig {
  const refused = whyNoAmbientCredentials(config, rules);
  if (refused !== null) throw new ClientError(refused, 'invalid_credentials', [{ path: ['creds'], message: refused }]);
  const result = definition.configSchema.safeParse(config);
  if (result.success) return requireType(result.data);
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'configuration'}: ${message}`);
  const text = `Invalid ${config.type} configuration. ${problems.join('; ')}`;
  const issues = result.error.issues.map(({ path }) => ({ path: path.map(String), message: text }));
  throw new ClientError(text, 'error', issues);
}
