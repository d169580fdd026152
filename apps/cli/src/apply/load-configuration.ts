import {
  type Configuration,
  ConfigurationError,
  parseConfigurationText,
  parseConfigurationValue,
  type ParsedText,
} from '@dstack/core';
import type { ConfigurationText } from './configuration-file.js';
import { flagProblem } from './flag-problem.js';
import { overrideConfiguration } from './override-configuration.js';
import type { RunFlagValues } from './run-flags.js';

/** Parses and checks a configuration. @throws {ConfigurationError} with file, line and field */
export function loadConfiguration(source: ConfigurationText): ParsedText<Configuration> {
  return parseConfigurationText(source.bytes, { file: source.name });
}

/** The configuration with the command line's words in it, checked again. @throws {UsageError | ConfigurationError} */
export function withFlags(configuration: Configuration, flags: RunFlagValues): Configuration {
  const parsed = parseConfigurationValue(overrideConfiguration({ ...configuration }, flags));
  if (!parsed.ok) throw flagProblem(parsed.issues, flags) ?? new ConfigurationError(parsed.issues);
  return parsed.value;
}
