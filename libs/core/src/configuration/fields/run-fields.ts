import { resourcesSchema, defaultResources } from '../../resources/resources-schema.js';
import { profileParameters } from '../../profiles/profile-parameters.js';
import { mapping } from '../schema/mapping.js';
import { defaulted, listOf, optional } from '../schema/presence.js';
import { flag, integer, text } from '../schema/scalars.js';
import { containerUser } from './container-user.js';
import { env } from './env.js';
import { fileMapping } from './file-mapping.js';
import { mountPoint } from './mount-point.js';
import { pythonVersion } from './python-version.js';
import { repoSpec } from './repo-spec.js';
import { shell } from './shell.js';

const off = (): boolean => false;

/** What dev environments, tasks and services have in common. */
export function runFields() {
  return {
    name: optional(text()),
    image: optional(text()),
    user: optional(containerUser()),
    privileged: defaulted(flag(), off),
    entrypoint: optional(text()),
    working_dir: optional(text()),
    home_dir: defaulted(text(), () => '/root'),
    registry_auth: optional(mapping({ username: text(), password: text() })),
    python: optional(pythonVersion()),
    nvcc: optional(flag()),
    single_branch: optional(flag()),
    env: env(),
    shell: optional(shell()),
    resources: defaulted(resourcesSchema(), defaultResources),
    priority: optional(integer({ min: 0, max: 100 })),
    volumes: defaulted(listOf(mountPoint()), () => []),
    docker: optional(flag()),
    repos: defaulted(listOf(repoSpec(), { max: 1 }), () => []),
    files: defaulted(listOf(fileMapping()), () => []),
    dstack: defaulted(flag(), off),
    setup: lines(),
    ...profileParameters(),
  };
}

export const lines = () => defaulted(listOf(text()), () => []);
