import {
  type BackendEnvironment,
  type Call,
  isBackendError,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import { type NodePlan, nodeBody } from './create-node.js';
import { explainRpc, isBusy, isConflict, isMissing, unlessMissing } from './errors.js';
import { TOKEN_LABEL } from './labels.js';
import { readData, writeData } from './machine-data.js';
import { isOwnedBy, nodeRef, nodeState } from './node-state.js';
import { regionOf } from './region-of.js';
import { CREATE_WATCH_MS, watch } from './operations.js';
import type { TpuNode, TpuOperation } from './schema.js';
import type { TpuApi } from './tpu-client.js';

export interface TpusOptions {
  readonly api: TpuApi;
  readonly environment: Pick<BackendEnvironment, 'now' | 'sleep'>;
  readonly publicIps: boolean;
}

interface Place {
  readonly zone: string;
  readonly name: string;
}

/** TPU VMs. */
export class Tpus {
  constructor(private readonly options: TpusOptions) {}

  async create(plan: NodePlan, place: Place, token: string, call: Call): Promise<MachineState> {
    const { api, publicIps } = this.options;
    const begun = await this.begin(plan, place, token, call);
    const seen = begun === null ? null : await this.watched(begun, call);
    if (seen?.error !== undefined) {
      await this.remove(place, call);
      throw explainRpc(seen.error);
    }
    const operation = begun?.name ?? null;
    const made = await api.node(place.zone, place.name, call).catch(unlessMissing);
    if (made !== null) return nodeState(made, nodeRef(made, operation), publicIps);
    return seen?.done === true
      ? { state: 'gone' }
      : { state: 'pending', ref: plannedRef(place, operation), reason: 'the zone has not begun yet' };
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const { api, publicIps } = this.options;
    const { operation = null, host } = readData(ref) ?? {};
    const found = await this.find(ref, call);
    if (found !== null)
      return nodeState(found, { ...nodeRef(found, operation, host), cloudName: ref.cloudName }, publicIps);
    if (operation === null) return { state: 'gone' };
    const seen = await api.operation(operation, call).catch(unlessMissing);
    if (seen === null) return { state: 'gone' };
    if (seen.error !== undefined) return { state: 'failed', ref, message: explainRpc(seen.error).message };
    return seen.done ? { state: 'gone' } : { state: 'pending', ref, reason: 'the zone has not begun yet' };
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const found = await this.find(ref, call);
    if (found === null) return 'done';
    if (found.state === 'DELETING') return 'pending';
    const { cloudName: name, zone } = nodeRef(found, null);
    await this.remove({ name, zone: zone ?? '' }, call);
    return 'pending';
  }

  async ofOwner(owner: string, call: Call): Promise<TpuNode[]> {
    const nodes = await this.options.api.nodes(call).catch(unlessUnused);
    return (nodes ?? []).filter((node) => isOwnedBy(node, owner));
  }

  /** Null also where the project does not use TPUs. */
  async find({ cloudName, machineId, zone: known, backendData }: MachineRef, call: Call): Promise<TpuNode | null> {
    const name = machineId ?? cloudName;
    const zone = known ?? readData({ backendData })?.zone ?? null;
    if (zone !== null) return this.options.api.node(zone, name, call).catch(unlessUnused);
    const nodes = await this.options.api.nodes(call).catch(unlessUnused);
    return (nodes ?? []).find((node) => node.name.endsWith(`/${name}`)) ?? null;
  }

  /** Null: there is a TPU of this attempt already. */
  private async begin(plan: NodePlan, { zone, name }: Place, token: string, call: Call): Promise<TpuOperation | null> {
    const { api } = this.options;
    try {
      return await api.createNode(zone, name, nodeBody(plan), call);
    } catch (error) {
      if (!isConflict(error)) throw error;
      const { labels } = await api.node(zone, name, call);
      if (labels?.[TOKEN_LABEL] === token) return null;
      throw error;
    }
  }

  private watched(begun: TpuOperation, call: Call): Promise<TpuOperation> {
    const { api, environment } = this.options;
    const ask = () => api.operation(begun.name, call);
    return watch(begun, { ask, isOver: ({ done }) => done, limitMs: CREATE_WATCH_MS }, call, environment);
  }

  /** One that Google is busy with is asked again later. */
  private async remove({ zone, name }: Place, call: Call): Promise<void> {
    await this.options.api.deleteNode(zone, name, call).catch((error: unknown) => {
      if (!isMissing(error) && !isBusy(error)) throw error;
    });
  }
}

/** The service of TPUs is off in most projects, and many accounts have no right to it: then there is none of ours. */
function unlessUnused(error: unknown): null {
  if (isBackendError(error) && error.failure.kind === 'credentials') return null;
  return unlessMissing(error);
}

function plannedRef({ zone, name }: Place, operation: string | null): MachineRef {
  const backendData = writeData({ zone, isTpu: true, operation });
  return { cloudName: name, machineId: name, region: regionOf(zone), zone, backendData };
}
