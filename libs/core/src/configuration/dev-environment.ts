import type { z } from 'zod';
import type * as Wire from '../wire/generated/api.js';
import { inactivityDuration } from './fields/duration.js';
import { portMapping } from './fields/port.js';
import { lines, runFields } from './fields/run-fields.js';
import { mapping } from './schema/mapping.js';
import { defaulted, listOf, optional } from './schema/presence.js';
import { oneOf, text } from './schema/scalars.js';

export const ides = ['vscode', 'cursor', 'windsurf', 'zed'] as const;

export function devEnvironmentSchema(): z.ZodType<Wire.DevEnvironmentConfiguration> {
  return mapping({
    ide: optional(oneOf(ides)),
    version: optional(text()),
    init: lines(),
    inactivity_duration: optional(inactivityDuration()),
    ports: defaulted(listOf(portMapping()), () => []),
    type: oneOf(['dev-environment']),
    ...runFields(),
  });
}
