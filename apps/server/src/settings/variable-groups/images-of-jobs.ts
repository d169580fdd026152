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
    says: 'Container network mode choice for jobs',
    state: 'not built',
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
  DSTACK_VM_BASE_IMAGE_VERSION: { type: 'text', default: '0.14', says: 'VM image version', state: 'not built' },
  DSTACK_VM_BASE_IMAGE_PREFIX: { type: 'text', says: 'VM image name prefix', state: 'not built' },
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
