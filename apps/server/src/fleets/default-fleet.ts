import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_FLEET, defaultFleetSpec, needsDefaultFleet, type Wire } from '@dstack/core';
import { EventRecorder } from '../events/event-recorder.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { WriteTx } from '../persistence/transaction.js';
import { findProject } from '../projects/find-project.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { insertFleet } from './insert-fleet.js';

/** Makes the fleet that runs go to when nobody has set one up. */
@Injectable()
export class DefaultFleetMaker {
  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** One that is being deleted keeps its name until it is gone: the next look makes the new one. */
  async makeIfNeeded(tx: WriteTx, projectId: string, profile: Wire.Profile): Promise<void> {
    const activeFleets = await activeFleetNames(tx, projectId);
    // Only a reference with a project asks for the name of this one.
    const name = profile.fleets ? ((await findProject(tx, projectId))?.name ?? '') : '';
    if (!needsDefaultFleet(profile, { name, activeFleets })) return;
    const id = this.world.ids.uuid();
    const fleet = { id, projectId, name: DEFAULT_FLEET, spec: defaultFleetSpec() };
    if (!(await insertFleet(tx, fleet))) return;
    this.wake.topic(tx, 'fleets');
    await this.events.record(tx, {
      message: 'Fleet created for runs that name none. Status: ACTIVE',
      actorId: null,
      targets: [{ type: 'fleet', id, name: DEFAULT_FLEET, projectId, fleetId: id }],
    });
  }
}

const activeFleetNames = rowsByKey({
  select: `SELECT * FROM (SELECT project_id, name FROM fleets WHERE deleted = false AND status = 'active') active`,
  key: 'project_id',
  read: (_tx, row: { readonly project_id: string; readonly name: string }) => row.name,
});
