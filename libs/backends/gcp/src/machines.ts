import {
  type BackendEnvironment,
  BackendError,
  type Call,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import type { Gce } from './client.js';
import { explainOperation, isBusy, isConflict, isMissing, unlessMissing } from './errors.js';
import { instanceBody, type MachinePlan } from './insert-instance.js';
import { OWNER_LABEL, TOKEN_LABEL } from './labels.js';
import { readData, writeData } from './machine-data.js';
import { refOf, stateOf } from './machine-state.js';
import { regionOf } from './region-of.js';
import { CREATE_WATCH_MS, watch } from './operations.js';
import { lastPart } from './reservation.js';
import type { GceInstance, Operation } from './schema.js';

export interface MachinesOptions {
  readonly gce: Gce;
  readonly environment: Pick<BackendEnvironment, 'now' | 'sleep'>;
}

/** Virtual machines of Compute Engine, whatever they are for. */
export class Machines {
  constructor(private readonly options: MachinesOptions) {}

  /** The same token again finds the operation of the first call, and with it the machine. */
  async create(plan: MachinePlan, token: string, isPublic: boolean, call: Call): Promise<MachineState> {
    const begun = await this.begin(plan, token, call);
    const seen = begun === null ? null : await this.watched(begun, plan.zone, call);
    if (seen !== null) await this.throwIfFailed(seen, plan, call);
    const operation = begun?.name ?? null;
    const made = await this.options.gce.instance(plan.zone, plan.name, call).catch(unlessMissing);
    if (made !== null) return stateOf(made, refOf(made, operation), isPublic);
    return seen?.status === 'DONE'
      ? { state: 'gone' }
      : { state: 'pending', ref: plannedRef(plan, operation), reason: 'the zone has not begun yet' };
  }

  async get(ref: MachineRef, isPublic: boolean, call: Call): Promise<MachineState> {
    const found = await this.find(ref, call);
    const operation = readData(ref)?.operation ?? null;
    if (found !== null) return stateOf(found, { ...refOf(found, operation), cloudName: ref.cloudName }, isPublic);
    return operation === null ? { state: 'gone' } : this.whyAbsent(ref, operation, call);
  }

  /** A machine that is being made or deleted refuses, and is asked again. */
  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const found = await this.find(ref, call);
    if (found === null) return 'done';
    await this.options.gce.deleteInstance(lastPart(found.zone ?? ''), found.name, call).catch((error: unknown) => {
      if (!isMissing(error) && !isBusy(error)) throw error;
    });
    return 'pending';
  }

  ofOwner(owner: string, call: Call): Promise<GceInstance[]> {
    return this.options.gce.instances(`labels.${OWNER_LABEL} = "${owner}"`, call);
  }

  private async find({ cloudName, machineId, zone: known, backendData }: MachineRef, call: Call) {
    const name = machineId ?? cloudName;
    const zone = known ?? readData({ backendData })?.zone ?? null;
    if (zone !== null) return this.options.gce.instance(zone, name, call).catch(unlessMissing);
    const [found] = await this.options.gce.instances(`name = "${name}"`, call);
    return found ?? null;
  }

  /** Null: there is a machine of this attempt already. */
  private async begin(plan: MachinePlan, token: string, call: Call): Promise<Operation | null> {
    const { gce } = this.options;
    try {
      return await gce.insertInstance(plan.zone, instanceBody(plan), token, call);
    } catch (error) {
      if (!isConflict(error)) throw error;
      const { labels } = await gce.instance(plan.zone, plan.name, call);
      if (labels?.[TOKEN_LABEL] === token) return null;
      throw error;
    }
  }

  private watched(begun: Operation, zone: string, call: Call): Promise<Operation> {
    const { gce, environment } = this.options;
    const ask = () => gce.zoneOperation(zone, begun.name, call);
    return watch(begun, { ask, isOver: isDone, limitMs: CREATE_WATCH_MS }, call, environment);
  }

  /** A machine that came to nothing leaves nothing; to be sure it is deleted. */
  private async throwIfFailed(operation: Operation, { zone, name }: MachinePlan, call: Call): Promise<void> {
    const failure = failureIn(operation);
    if (failure === null) return;
    await this.options.gce.deleteInstance(zone, name, call).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
    throw failure;
  }

  private async whyAbsent(ref: MachineRef, name: string, call: Call): Promise<MachineState> {
    const zone = ref.zone ?? readData(ref)?.zone ?? null;
    if (zone === null) return { state: 'gone' };
    // Google forgets operations after some days.
    const operation = await this.options.gce.zoneOperation(zone, name, call).catch(unlessMissing);
    if (operation === null) return { state: 'gone' };
    if (!isDone(operation)) return { state: 'pending', ref, reason: 'the zone has not begun yet' };
    const failure = failureIn(operation);
    return failure === null ? { state: 'gone' } : { state: 'failed', ref, message: failure.message };
  }
}

export function isDone({ status }: Operation): boolean {
  return status === 'DONE';
}

/** Operations that are over may have failed. */
export function failureIn({ error, httpErrorStatusCode }: Operation): BackendError | null {
  if (error === undefined) return null;
  const [first] = error.errors;
  const text = { code: 'UNKNOWN', message: 'the operation failed without a reason' };
  return explainOperation(first ?? text, httpErrorStatusCode ?? null);
}

function plannedRef({ name, zone }: MachinePlan, operation: string | null): MachineRef {
  const backendData = writeData({ zone, isTpu: false, operation });
  return { cloudName: name, machineId: name, region: regionOf(zone), zone, backendData };
}
