import type { Offer } from '@dstack/core';
import { ComputeAccounts } from '../../src/offers/compute-accounts.js';
import type { TestServer } from './start-test-server.js';

/** What every project of the server is offered from now on by backends that create nothing. */
export function offerTo(
  server: TestServer,
  offers: () => readonly Offer[],
  backends: readonly Offer['backend'][] = ['aws'],
): void {
  const accounts: Pick<ComputeAccounts, 'ofProject'> = server.app.get(ComputeAccounts);
  const offered = backends.map((type) => ({
    type,
    definition: {},
    compute: { offers: async () => offers().filter(({ backend }) => backend === type) },
  }));
  // Placement and plans use no more of an account than its offers and how they are ordered.
  accounts.ofProject = async () => offered as unknown as Awaited<ReturnType<ComputeAccounts['ofProject']>>;
}

export function someOffer(changes: Partial<Offer> = {}): Offer {
  const resources = {
    cpus: 8,
    memory_mib: 32_768,
    gpus: [],
    spot: false,
    disk: { size_mib: 102_400 },
    description: '',
  };
  return {
    backend: 'aws',
    region: 'eu',
    price: 1,
    availability: 'available',
    instance: { name: 'm5', resources },
    ...changes,
  };
}
