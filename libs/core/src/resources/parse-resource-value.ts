import type { Parsed } from '../configuration/parsed.js';
import { runSchema } from '../configuration/schema/run-schema.js';
import { once } from '../configuration/schema/once.js';
import type * as Wire from '../wire/generated/api.js';
import { resourcesSchema } from './resources-schema.js';

const schema = once(resourcesSchema);

export type ResourceField = 'cpu' | 'memory' | 'shm_size' | 'gpu' | 'disk';

/** One field of `resources` as given on a command line (`--gpu A100:2`), in the form it has on the wire. */
export function parseResourceValue<F extends ResourceField>(field: F, written: string): Parsed<Wire.ResourcesSpec[F]> {
  const parsed = runSchema(schema(), { [field]: written });
  return parsed.ok ? { ok: true, value: parsed.value[field] } : parsed;
}
