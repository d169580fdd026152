import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigFileError } from '../config-file/config-file.js';
import type { Policy, PolicyKind, PolicyRequest } from './policies.js';

type Hook = (request: PolicyRequest) => unknown;

/** What a module exports by default. Each may change the spec and return it, return nothing, or throw an `Error` with the reason of a refusal. */
export interface PolicyModule {
  readonly onRunApply?: Hook;
  readonly onFleetApply?: Hook;
  readonly onVolumeApply?: Hook;
  readonly onGatewayApply?: Hook;
}

const HOOKS: Readonly<Record<PolicyKind, keyof PolicyModule>> = {
  run: 'onRunApply',
  fleet: 'onFleetApply',
  volume: 'onVolumeApply',
  gateway: 'onGatewayApply',
};

/**
 * @param name a package, or the path of a file, relative to the server directory
 * @throws {ConfigFileError} when it cannot be loaded: a server without its policies would let everything pass
 */
export async function loadModulePolicy(name: string, serverDir: string): Promise<Policy> {
  const isPath = name.startsWith('.') || isAbsolute(name);
  const path = isAbsolute(name) ? name : join(serverDir, name);
  const specifier = isPath ? pathToFileURL(path).href : name;
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(specifier)) as { readonly default?: unknown };
  } catch (error) {
    throw new ConfigFileError(
      `The plugin ${name} cannot be loaded: ${error instanceof Error ? error.message : String(error)}. Install it beside the server, or take it out of plugins.`,
    );
  }
  const module = loaded.default;
  if (!isPolicyModule(module))
    throw new ConfigFileError(
      `The plugin ${name} exports no policy: its default export needs one of ${Object.values(HOOKS).join(', ')}. Plugins of Python dstack cannot run here.`,
    );
  return {
    name,
    ask: async (kind, request) => module[HOOKS[kind]]?.(request),
  };
}

function isPolicyModule(value: unknown): value is PolicyModule {
  if (typeof value !== 'object' || value === null) return false;
  const hooks = value as Readonly<Record<string, unknown>>;
  const present = Object.values(HOOKS).filter((hook) => hooks[hook] !== undefined);
  return present.length > 0 && present.every((hook) => typeof hooks[hook] === 'function');
}
