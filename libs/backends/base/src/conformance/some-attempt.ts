import { randomUUID } from 'node:crypto';
import type { Offer } from '@dstack/core';
import type { Attempt } from '../machine.js';

/** The installation that tests create machines for. */
export const TEST_OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
export const TEST_PUBLIC_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRlbGljaW91cw0KZGVsaWNpb3VzDQpkZWxpY2lvdXM= dstack';

/** An attempt that nobody has made yet. @throws when there is no such offer */
export function someAttempt(offer: Offer | undefined, over: Partial<Attempt> = {}): Attempt {
  if (offer === undefined) throw new Error('no such offer');
  return {
    token: randomUUID(),
    cloudName: `dstack-main-${randomUUID().slice(0, 8)}`,
    owner: TEST_OWNER,
    project: 'main',
    user: 'admin',
    instanceName: 'one',
    offer,
    zone: offer.availability_zones?.[0] ?? null,
    reservation: null,
    tags: {},
    authorizedKeys: [TEST_PUBLIC_KEY],
    volumeIds: [],
    placementGroup: null,
    userData: null,
    container: null,
    ...over,
  };
}
