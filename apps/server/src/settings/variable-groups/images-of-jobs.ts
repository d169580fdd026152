import { PUBLISHED_MACHINE_IMAGES } from '@dstack/backend-base';
import { IMAGE_DEFAULTS } from '@dstack/core';
import type { Variable } from '../variable.js';

export const IMAGES_OF_JOBS = {
  DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY: {
    type: 'text',
    says: 'Registry of images that name none: a mirror or pull-through cache',
  },
  DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_USERNAME: {
    type: 'text',
    says: 'User name for that registry',
  },
  DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_PASSWORD: {
    type: 'text',
    says: 'Password for that registry',
    secret: true,
  },
  DSTACK_SERVER_JOB_NETWORK_MODE: {
    type: 'choice',
    values: ['1', '2', '3'],
    default: '2',
    says: "Which containers share the network of their host: `1` those of runs of several nodes, `2` all that have their host for themselves, `3` none (nodes then do not reach each other's ports)",
  },
  DSTACK_DOCKER_BASE_IMAGE: { type: 'text', default: IMAGE_DEFAULTS.baseImage, says: 'Default job image name' },
  DSTACK_DOCKER_BASE_IMAGE_VERSION: {
    type: 'text',
    default: IMAGE_DEFAULTS.baseVersion,
    says: 'Default job image version',
  },
  DSTACK_DOCKER_BASE_IMAGE_UBUNTU_VERSION: {
    type: 'text',
    default: IMAGE_DEFAULTS.ubuntuVersion,
    says: 'Ubuntu part of the default image tag',
  },
  DSTACK_VM_BASE_IMAGE_VERSION: {
    type: 'text',
    default: PUBLISHED_MACHINE_IMAGES.version,
    says: "Version of dstack's own images that machines start with (Azure, GCP, OCI)",
  },
  DSTACK_VM_BASE_IMAGE_PREFIX: { type: 'text', says: 'What stands before the names of those images' },
  DSTACK_DIND_IMAGE: {
    type: 'text',
    default: IMAGE_DEFAULTS.dindImage,
    says: 'Image for runs with docker set to true',
  },
  DSTACK_AGENT_IMAGE: {
    type: 'text',
    says: 'An image with the agent, for clusters that bring it into pods by one',
    ours: true,
  },
} as const satisfies Readonly<Record<string, Variable>>;
