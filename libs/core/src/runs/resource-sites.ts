import type { ImageChoice } from '../jobs/image.js';
import type * as Wire from '../wire/generated/api.js';

/** A place in a configuration that asks for resources, with the image that would run there. */
export interface ResourceSite {
  readonly path: readonly (string | number)[];
  readonly label: string;
  readonly resources: Wire.ResourcesSpec;
  readonly image: ImageChoice;
}

/** The groups' resources where there are groups (the top level asks for nothing then), else the configuration's. */
export function resourceSites(configuration: Wire.RunSpec['configuration']): ResourceSite[] {
  if (configuration.type === 'task' && configuration.groups) {
    return configuration.groups.map((group, index) => ({
      path: ['configuration', 'groups', index, 'resources'],
      label: `groups[${index}]: `,
      resources: group.resources ?? {},
      image: configuration,
    }));
  }
  if (configuration.type === 'service' && Array.isArray(configuration.replicas)) {
    return configuration.replicas.map((group, index) => ({
      path: ['configuration', 'replicas', index, 'resources'],
      label: `groups[${index}]: `,
      resources: group.resources ?? {},
      image: groupImage(configuration, group),
    }));
  }
  const { resources } = configuration;
  return [{ path: ['configuration', 'resources'], label: '', resources: resources ?? {}, image: configuration }];
}

export function groupImage(service: Wire.ServiceConfiguration, group: Wire.ReplicaGroup): ImageChoice {
  return {
    image: group.image ?? service.image ?? null,
    docker: group.docker ?? service.docker ?? null,
    nvcc: group.nvcc ?? service.nvcc ?? null,
  };
}
