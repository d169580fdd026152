import type { z } from 'zod';
import { memorySize } from '../resources/resources-schema.js';
import type * as Wire from '../wire/generated/api.js';
import { idleDuration } from './fields/duration.js';
import { tags } from './fields/tags.js';
import { byKey } from './schema/choice.js';
import { mapping } from './schema/mapping.js';
import { defaulted, listOf, optional } from './schema/presence.js';
import { flag, oneOf, text } from './schema/scalars.js';

export type VolumeConfiguration =
  | Wire.AWSVolumeConfiguration
  | Wire.GCPVolumeConfiguration
  | Wire.RunpodVolumeConfiguration
  | Wire.KubernetesVolumeConfiguration;

export const volumeBackends = ['aws', 'gcp', 'runpod', 'kubernetes'] as const;

export function volumeSchema(): z.ZodType<VolumeConfiguration> {
  const common = {
    name: optional(text()),
    size: optional(memorySize()),
    auto_cleanup_duration: optional(idleDuration()),
    tags: optional(tags()),
  };
  const type = oneOf(['volume']);
  const regional = { volume_id: optional(text()), region: text() };
  const zone = { availability_zone: optional(text()) };
  return byKey('backend', {
    aws: mapping({ type, backend: oneOf(['aws']), ...common, ...regional, ...zone }),
    gcp: mapping({ type, backend: oneOf(['gcp']), ...common, ...regional, ...zone }),
    runpod: mapping({ type, backend: oneOf(['runpod']), ...common, ...regional, ...zone }).transform(
      ({ availability_zone: _dropped, ...volume }) => volume,
    ),
    kubernetes: mapping({
      type,
      backend: oneOf(['kubernetes']),
      ...common,
      region: defaulted(text(), () => ''),
      claim_name: optional(text()),
      storage_class_name: optional(text()),
      access_modes: defaulted(listOf(text()), () => ['ReadWriteOnce']),
      read_only: defaulted(flag(), () => false),
    }),
  });
}
