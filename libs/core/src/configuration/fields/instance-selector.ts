import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { byKind, eitherShape, own } from '../schema/choice.js';
import { mapping } from '../schema/mapping.js';
import { integer, text } from '../schema/scalars.js';
import { entityReference } from './entity-reference.js';

type InstanceSelector = Wire.InstanceNameSelector | Wire.InstanceHostnameSelector | Wire.FleetInstanceSelector;

export function instanceSelector(): z.ZodType<InstanceSelector> {
  const short = text({ minLength: 1 }).transform((name): InstanceSelector => ({ name }));
  const byName = mapping({ name: text({ minLength: 1 }) });
  const byHostname = mapping({ hostname: text({ minLength: 1 }) });
  const byFleet = mapping({ fleet: entityReference(), instance: integer({ min: 0 }) });
  const full = eitherShape(
    (value) => own(value, 'fleet') !== undefined || own(value, 'instance') !== undefined,
    byFleet,
    eitherShape((value) => own(value, 'hostname') !== undefined, byHostname, byName),
  );
  return byKind('an instance name, {name}, {hostname} or {fleet, instance}', {
    text: short,
    number: short,
    mapping: full,
  });
}
