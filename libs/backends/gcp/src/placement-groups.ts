import {
  type BackendEnvironment,
  type Call,
  isBackendError,
  type PlacementGroupSupport,
  type Termination,
} from '@dstack/backend-base';
import type { Gce } from './client.js';
import { isConflict, unlessMissing } from './errors.js';
import { failureIn, isDone } from './machines.js';
import { SHORT_WATCH_MS, watch } from './operations.js';
import type { Operation } from './schema.js';

interface Options {
  readonly gce: Gce;
  readonly environment: Pick<BackendEnvironment, 'now' | 'sleep'>;
}

export function policyPath(project: string, region: string, name: string): string {
  return `projects/${project}/regions/${region}/resourcePolicies/${name}`;
}

/** Compact placement: policies of a region that machines are made with. */
export class GcpPlacementGroups implements PlacementGroupSupport {
  // Its own policy goes with a reservation.
  readonly compatibleWithReservations = false;

  constructor(private readonly options: Options) {}

  async create({ cloudName: name, region, owner }: { cloudName: string; region: string; owner: string }, call: Call) {
    const body = {
      name,
      // Policies have no labels.
      description: `dstack_server=${owner}`,
      groupPlacementPolicy: { availabilityDomainCount: 1, collocation: 'COLLOCATED' },
    };
    try {
      await this.finish(await this.options.gce.insertResourcePolicy(region, body, call), region, call);
    } catch (error) {
      // An earlier call made it.
      if (!isConflict(error)) throw error;
    }
    return { backendData: null };
  }

  async delete({ cloudName, region }: { cloudName: string; region: string }, call: Call): Promise<Termination> {
    try {
      const begun = await this.options.gce.deleteResourcePolicy(region, cloudName, call).catch(unlessMissing);
      return begun === null || isDone(await this.finish(begun, region, call)) ? 'done' : 'pending';
    } catch (error) {
      if (isBackendError(error) && IN_USE.test(error.message)) return 'pending';
      throw error;
    }
  }

  private async finish(begun: Operation, region: string, call: Call): Promise<Operation> {
    const { gce, environment } = this.options;
    const ask = () => gce.regionOperation(region, begun.name, call);
    const seen = await watch(begun, { ask, isOver: isDone, limitMs: SHORT_WATCH_MS }, call, environment);
    const failure = failureIn(seen);
    if (failure !== null) throw failure;
    return seen;
  }
}

const IN_USE = /already being used by|resourceInUseByAnotherResource|RESOURCE_IN_USE_BY_ANOTHER_RESOURCE/;
