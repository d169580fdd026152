import { Injectable } from '@nestjs/common';
import type { BackendDefinition, BackendModule } from '@dstack/backend-base';
import { hasCode } from '../errors/has-code.js';

/** The server has no code for this backend; the message says how to get it. */
export class BackendNotInstalledError extends Error {
  override readonly name = 'BackendNotInstalledError';
  constructor(readonly type: string) {
    super(`Backend ${type} is not installed: npm i @dstack/backend-${type}`);
  }
}

const BACKEND_TYPE = /^[a-z][a-z0-9-]{0,29}$/;

/** Backends are packages found by name, ours and others' alike; a definition loads no SDK. */
@Injectable()
export class BackendRegistry {
  private readonly definitions = new Map<string, Promise<BackendDefinition>>();

  /** @throws {BackendNotInstalledError} */
  definition(type: string): Promise<BackendDefinition> {
    let found = this.definitions.get(type);
    if (found === undefined) {
      found = loadExport(type, '', (value): value is BackendDefinition => isDefinition(value, type));
      this.definitions.set(type, found);
      found.catch(() => this.definitions.delete(type)); // installing it later must not need a restart
    }
    return found;
  }

  /** @throws {BackendNotInstalledError} */
  module(type: string): Promise<BackendModule> {
    return loadExport(type, '/compute', isModule);
  }
}

async function loadExport<T>(type: string, path: string, is: (value: unknown) => value is T): Promise<T> {
  if (!BACKEND_TYPE.test(type)) throw new BackendNotInstalledError(type);
  const name = `@dstack/backend-${type}`;
  let loaded: Record<string, unknown>;
  try {
    loaded = (await import(`${name}${path}`)) as Record<string, unknown>;
  } catch (error) {
    if (isMissing(error, name)) throw new BackendNotInstalledError(type);
    throw error;
  }
  const found = Object.values(loaded).find(is);
  if (found === undefined) throw new Error(`${name}${path} exports nothing that describes a backend of type ${type}.`);
  return found;
}

function isMissing(error: unknown, name: string): boolean {
  const isResolution = hasCode(error, 'ERR_MODULE_NOT_FOUND') || hasCode(error, 'MODULE_NOT_FOUND');
  return isResolution && error.message.includes(name);
}

function isDefinition(value: unknown, type: string): value is BackendDefinition {
  return (
    typeof value === 'object' && value !== null && 'configSchema' in value && 'type' in value && value.type === type
  );
}

function isModule(value: unknown): value is BackendModule {
  return typeof value === 'object' && value !== null && 'open' in value && typeof value.open === 'function';
}
