import { NO_FILTERS } from '../src/offers/offer-filters.js';
import type {
  PlacementAsk,
  PlacementFleet,
  PlacementGroup,
  PlacementInstance,
} from '../src/placement/placement-input.js';
import { instance as poolInstance, requirements, resources } from './planning-builders.js';

export { gpus, offer, requirements, resources } from './planning-builders.js';

/** Builders for the tests of placement: a job, a fleet `pool` and an idle machine of it that fits, and what a case is about on top. */
export function ask(changes: Partial<PlacementAsk> = {}): PlacementAsk {
  return { requirements: requirements(), filters: NO_FILTERS, offers: null, offersNotes: [], ...changes };
}

export function group(
  changes: Partial<PlacementGroup> & { jobIds?: readonly string[]; asks?: readonly PlacementAsk[] } = {},
): PlacementGroup {
  const { jobIds = ['j'], asks = [ask()], ...rest } = changes;
  return {
    runId: 'r',
    runName: 'run',
    userName: 'somebody',
    jobs: jobIds.map((id, index) => ({ id, ask: Math.min(index, asks.length - 1) })),
    priority: 0,
    submittedAt: 1,
    mayCreate: true,
    onlyInstanceIds: null,
    unknownFleets: [],
    candidates: [{ fleetId: 'f', fits: true, asks }],
    ...rest,
  };
}

export function instance(changes: Partial<PlacementInstance> = {}): PlacementInstance {
  const plain = { region: 'us-east-1', priceUsdPerHour: 1, instanceType: { name: 'm5', resources: resources() } };
  return {
    ...poolInstance({ id: 'i', ...plain }),
    fleetId: 'f',
    name: 'pool-0',
    unreachableSince: null,
    holders: [],
    ...changes,
  };
}

export function fleet(changes: Partial<PlacementFleet> = {}): PlacementFleet {
  return { id: 'f', name: 'pool', activeCount: 0, maxNodes: null, canCreate: true, anchor: null, ...changes };
}
