import { createHash } from 'node:crypto';
import type { Attempt } from '@dstack/backend-base';

/** What an object is for. */
export const COMPONENT = 'app.kubernetes.io/name';
export const INSTANCE = 'app.kubernetes.io/instance';
const MANAGED_BY = 'app.kubernetes.io/managed-by';
/** The installation that made it; whatever lacks it is not ours. */
export const OWNER = 'k8s.dstack.ai/server';
export const TOKEN = 'k8s.dstack.ai/attempt';
/** Which jump pod leads to a job. */
export const JUMP = 'k8s.dstack.ai/jump';
/** Annotations: the region may be no label, the public host key is none. */
export const REGION = 'k8s.dstack.ai/region';
export const HOST_KEY = 'k8s.dstack.ai/host-key';

export const JOB = 'dstack-job';
export const JUMP_POD = 'dstack-ssh-proxy';
export const VOLUME = 'dstack-volume';
export const GATEWAY = 'dstack-gateway';

export type Labels = Readonly<Record<string, string>>;

const NAME = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const VALUE = new RegExp(`^(${NAME})?$`);
const KEY = new RegExp(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?${NAME}$`);

export function isLabel(key: string, value: string): boolean {
  return KEY.test(key) && VALUE.test(value);
}

export function baseLabels(component: string, instance: string, owner: string): Labels {
  return { [COMPONENT]: component, [INSTANCE]: instance, [MANAGED_BY]: 'dstack', [OWNER]: owner };
}

/** Labels of people give way to ours; what Kubernetes does not take as a label is told and left out. */
export function withTags(tags: Labels, own: Labels, warn: (dropped: string) => void): Labels {
  const valid = Object.entries({ ...tags, ...own }).filter(([key, value]) => {
    if (isLabel(key, value)) return true;
    warn(key);
    return false;
  });
  return Object.fromEntries(valid);
}

export function jobLabels(attempt: Attempt, jump: string, warn: (dropped: string) => void): Labels {
  const { cloudName, owner, token, project, instanceName, user, tags } = attempt;
  const own = {
    ...baseLabels(JOB, cloudName, owner),
    [TOKEN]: token,
    [JUMP]: jump,
    'k8s.dstack.ai/project': project,
    'k8s.dstack.ai/name': instanceName,
    'k8s.dstack.ai/user': user,
  };
  return withTags(tags, own, warn);
}

/** One for each project and installation: two servers that share a namespace do not remove each other's way in. */
export function jumpName({ owner, project }: Pick<Attempt, 'owner' | 'project'>): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([owner, project]))
    .digest('hex')
    .slice(0, 8);
  const readable = project.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 40); // prettier-ignore
  return `dstack-${readable}-jump-${hash}`;
}
