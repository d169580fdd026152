import { runSpecIssue } from '../runs/run-spec-error.js';
import type * as Wire from '../wire/generated/api.js';
import { devEnvironmentCommands } from './dev-environment-commands.js';
import { imageKind, type ImageChoice, type ImageConfig } from './image.js';
import { pythonEnvironmentScript } from './python-environment.js';
import { shellOf, splitShellWords } from './shell.js';
import { shellScript } from './shell-script.js';

export interface CommandSource {
  readonly configuration: Wire.RunSpec['configuration'];
  readonly runName: string;
  /** The commands of the job's node or replica group, or of the configuration. */
  readonly commands: readonly string[];
  readonly image: ImageChoice & { readonly python?: Wire.PythonVersion | null };
  readonly imageConfig: ImageConfig | null;
  readonly defaultPython: Wire.PythonVersion;
}

/**
 * The argv of a job. Empty: what the image itself starts, when its configuration is not known here.
 */
export function jobArgv(source: CommandSource): string[] {
  const { configuration, commands } = source;
  if (configuration.entrypoint) return entrypointArgv(configuration.entrypoint, commands);
  const lines = userLines(source);
  if (lines.length === 0) return imageArgv(source.imageConfig);
  const kind = imageKind(source.image);
  return [shellOf(configuration.shell, kind), '-i', '-c', shellScript([...preamble(source), ...lines])];
}

function entrypointArgv(entrypoint: string, commands: readonly string[]): string[] {
  const words = splitShellWords(entrypoint);
  if (words === null || words.length === 0) {
    throw runSpecIssue(['configuration', 'entrypoint'], `entrypoint is not a command line: ${entrypoint}`);
  }
  return [...words, ...commands];
}

function userLines({ configuration, commands, runName }: CommandSource): readonly string[] {
  return configuration.type === 'dev-environment' ? devEnvironmentCommands(configuration, runName) : commands;
}

function preamble({ image, defaultPython }: CommandSource): string[] {
  switch (imageKind(image)) {
    case 'default':
      return [pythonEnvironmentScript(image.python ?? defaultPython)];
    case 'dind':
      return ['start-dockerd'];
    case 'custom':
      return [];
  }
}

function imageArgv(config: ImageConfig | null): string[] {
  if (config === null) return [];
  const argv = [...config.entrypoint, ...config.cmd];
  if (argv.length === 0) {
    throw runSpecIssue(
      ['configuration', 'commands'],
      'the image starts nothing by itself: set `commands` or `entrypoint`',
    );
  }
  return argv;
}
