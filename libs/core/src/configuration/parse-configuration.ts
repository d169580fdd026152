import { ConfigurationError, type LocatedIssue } from './configuration-error.js';
import type { ConfigurationIssue } from './issue.js';
import type { Parsed } from './parsed.js';
import { type Configuration, type ConfigurationType, validateConfiguration } from './validate.js';
import { type YamlDocument, readYaml } from './yaml-document.js';

export interface ParsedText<T> {
  readonly configuration: T;
  /** What was found wrong later, with the lines it is on. */
  readonly errorOf: (issues: readonly ConfigurationIssue[]) => ConfigurationError;
}

export interface TextSource {
  /** As it is shown in errors. */
  readonly file: string;
}

/** Parses the YAML of one configuration. @throws {ConfigurationError} and nothing else. */
export function parseConfigurationText(
  input: Uint8Array | string,
  { file }: TextSource,
  types?: readonly ConfigurationType[],
): ParsedText<Configuration> {
  return parseText(input, file, (value) => validateConfiguration(value, types));
}

/** Parses YAML and validates it; the issues of the validation are given their lines. */
export function parseText<T>(
  input: Uint8Array | string,
  file: string,
  validate: (value: unknown) => Parsed<T>,
): ParsedText<T> {
  const read = readYaml(input);
  if (!read.ok) {
    const issues = read.problems.map(({ message, line, column }): LocatedIssue => ({
      kind: 'schema',
      path: [],
      message,
      file,
      ...(line === undefined || column === undefined ? {} : { line, column }),
    }));
    throw new ConfigurationError(issues, read.source);
  }
  const { document } = read;
  const parsed = validate(document.value);
  const errorOf = (issues: readonly ConfigurationIssue[]): ConfigurationError =>
    new ConfigurationError(located(issues, document, file), document.source);
  if (!parsed.ok) throw errorOf(parsed.issues);
  return { configuration: parsed.value, errorOf };
}

function located(issues: readonly ConfigurationIssue[], document: YamlDocument, file: string): LocatedIssue[] {
  return issues
    .map((issue): LocatedIssue => ({
      ...issue,
      file,
      ...document.positionOf(issue.path, issue.unknownKey === true ? 'key' : 'value'),
    }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** Validates a configuration that is already parsed (the body of a request). */
export function parseConfigurationValue(value: unknown, types?: readonly ConfigurationType[]): Parsed<Configuration> {
  return validateConfiguration(value, types);
}
