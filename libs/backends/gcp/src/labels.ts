import type { Attempt } from '@dstack/backend-base';

/** What Google takes as a label; upper case it does not. */
export const LABEL_KEY = /^[a-z][_\-a-z0-9]{0,62}$/;
export const LABEL_VALUE = /^[_\-a-z0-9]{0,63}$/;

export const OWNER_LABEL = 'dstack_server';
export const TOKEN_LABEL = 'dstack_attempt';

export type Labels = Readonly<Record<string, string>>;

type Described = Pick<Attempt, 'owner' | 'token' | 'project' | 'instanceName' | 'user' | 'tags'>;

/** Names the machine's makers; what a configuration adds comes first and loses, and what is no label is left out. */
export function machineLabels(attempt: Described, configured: Labels): Record<string, string> {
  return {
    ...valid(configured),
    ...valid(attempt.tags),
    ...valid({
      owner: 'dstack',
      dstack_project: attempt.project.toLowerCase(),
      dstack_name: attempt.instanceName.toLowerCase(),
      ...(attempt.user === '' ? {} : { dstack_user: attempt.user.toLowerCase() }),
      [OWNER_LABEL]: attempt.owner,
      [TOKEN_LABEL]: attempt.token,
    }),
  };
}

export function volumeLabels(owner: string, name: string | null, tags: Labels, configured: Labels) {
  return {
    ...valid(configured),
    ...valid(tags),
    ...valid({
      owner: 'dstack',
      ...(name === null ? {} : { dstack_name: name.toLowerCase() }),
      [OWNER_LABEL]: owner,
    }),
  };
}

/** Names of tags that Google does not take. */
export function noLabels(tags: Labels): string[] {
  return Object.entries(tags).flatMap(([key, value]) => (isLabel(key, value) ? [] : [key]));
}

function valid(labels: Labels): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => isLabel(key, value)));
}

function isLabel(key: string, value: string): boolean {
  return LABEL_KEY.test(key) && LABEL_VALUE.test(value);
}
