import type { HostHealth } from '@dstack/agent-protocol';
import type { Wire } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import { toWireTime } from '../http/wire-time.js';
import { Database } from '../persistence/database.js';
import type { WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { findInstance, type InstanceRecord } from './instance-record.js';

/** What agents say about the health of their hosts. They tell it when it changes, and to each new connection. */
@Injectable()
export class InstanceHealth {
  constructor(
    private readonly db: Database,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: Pick<World, 'ids'>,
  ) {}

  /** @param at Unix ms. */
  async record(instanceId: string, at: number, health: HostHealth): Promise<void> {
    await this.db.write(async (tx) => {
      const instance = await findInstance(tx, instanceId);
      if (instance === null) return;
      const known = instance.agent.incidents ?? [];
      const isKnown = instance.health === health.status && JSON.stringify(known) === JSON.stringify(health.incidents);
      if (isKnown) return;
      await tx.execute('UPDATE instances SET health = ?, agent_info = ?, rev = rev + 1 WHERE id = ?', [
        health.status,
        writeJson({ ...instance.agent, incidents: health.incidents }),
        instanceId,
      ]);
      await this.keepCheck(tx, instanceId, at, health);
      if (instance.health !== health.status) await this.tell(tx, instance, health);
      // Whoever waits for a place may find one now, or has to be told why there is none.
      this.wake.topic(tx, 'placement');
    });
  }

  /** @param before Unix ms. */
  deleteOld(before: number): Promise<number> {
    return this.db.write((tx) => tx.execute('DELETE FROM instance_health_checks WHERE collected_at < ?', [before]));
  }

  private async keepCheck(tx: WriteTx, instanceId: string, at: number, health: HostHealth): Promise<void> {
    const events = health.incidents.map((message, index): Wire.HealthEvent => {
      const status = health.incidentStatuses?.[index] ?? health.status;
      return { timestamp: toWireTime(at), status, message };
    });
    await tx.execute(
      'INSERT INTO instance_health_checks (id, instance_id, collected_at, status, response) VALUES (?, ?, ?, ?, ?)',
      [this.world.ids.uuid(), instanceId, at, health.status, writeJson(events)],
    );
  }

  private async tell(tx: WriteTx, instance: InstanceRecord, health: HostHealth): Promise<void> {
    const why = health.incidents.length === 0 ? '' : ` (${health.incidents.join('; ')})`;
    const { id, name, projectId, fleetId } = instance;
    const target = { type: 'instance' as const, id, name, projectId };
    await this.events.record(tx, {
      message: `Instance health changed ${instance.health.toUpperCase()} -> ${health.status.toUpperCase()}${why}`,
      actorId: null,
      targets: [fleetId === null ? target : { ...target, fleetId }],
    });
  }
}
