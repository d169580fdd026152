import type { z } from 'zod';
import { idleDuration, offableDuration, duration } from '../configuration/fields/duration.js';
import { entityReference } from '../configuration/fields/entity-reference.js';
import { instanceSelector } from '../configuration/fields/instance-selector.js';
import { schedule } from '../configuration/fields/schedule.js';
import { tags } from '../configuration/fields/tags.js';
import { byKind } from '../configuration/schema/choice.js';
import { mapping } from '../configuration/schema/mapping.js';
import { defaulted, listOf, optional } from '../configuration/schema/presence.js';
import { decimal, flag, integer, oneOf, text } from '../configuration/schema/scalars.js';
import { BACKEND_TYPES } from '../wire/enums.js';
import type * as Wire from '../wire/generated/api.js';
import { backendOptions } from './backend-options.js';

/** Offers of the server's own machine are shown as `local`; on the wire, and so here, they are of `remote`. */
const OWN_MACHINES = { local: 'remote', ssh: 'remote' } as const;

/** Where and how to place things: the fields profiles share with runs and presets. */
export function profileParameters() {
  return {
    ...placementParameters(),
    max_duration: optional(offableDuration()),
    stop_duration: optional(offableDuration()),
    creation_policy: optional(oneOf(['reuse', 'reuse-or-create'])),
    utilization_policy: optional(
      mapping({ min_gpu_utilization: integer({ min: 0, max: 100 }), time_window: duration({ minSeconds: 300 }) }),
    ),
    startup_order: optional(oneOf(['any', 'master-first', 'workers-first'])),
    stop_criteria: optional(oneOf(['all-done', 'master-done'])),
    schedule: optional(schedule()),
    fleets: optional(listOf(entityReference())),
    instances: optional(listOf(instanceSelector(), { min: 1 })),
  };
}

/** Those of them that a fleet takes too. */
export function placementParameters() {
  return {
    backends: optional(listOf(oneOf(BACKEND_TYPES, OWN_MACHINES))),
    regions: optional(listOf(text())),
    availability_zones: optional(listOf(text())),
    instance_types: optional(listOf(text())),
    reservation: optional(text()),
    spot_policy: optional(spotPolicy()),
    retry: optional(retry()),
    max_price: optional(decimal({ above: 0 })),
    idle_duration: optional(idleDuration()),
    tags: optional(tags()),
    backend_options: optional(backendOptions()),
  };
}

export function spotPolicy(): z.ZodType<Wire.SpotPolicy> {
  return oneOf(['spot', 'on-demand', 'auto']);
}

function retry(): z.ZodType<Wire.ProfileRetry | boolean> {
  const full = mapping({
    on_events: optional(listOf(oneOf(['no-capacity', 'interruption', 'error']), { min: 1 })),
    duration: optional(duration()),
  });
  return byKind('true, false or a mapping', { boolean: flag(), text: flag(), mapping: full });
}

export function profileSchema(): z.ZodType<Wire.Profile> {
  return mapping({
    ...profileParameters(),
    name: defaulted(text(), () => ''),
    default: defaulted(flag(), () => false),
  });
}

export function profilesFileSchema(): z.ZodType<{ profiles: Wire.Profile[] }> {
  return mapping({ profiles: listOf(profileSchema()) });
}
