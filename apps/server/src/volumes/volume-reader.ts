import { Injectable } from '@nestjs/common';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findAttachments } from './attachment-record.js';
import type { VolumeRecord } from './volume-record.js';
import { type AttachedInstance, type ExplainedVolume, toWireVolume } from './volume-view.js';

/** Volume rows as clients see them. */
@Injectable()
export class VolumeReader {
  async wire(tx: ReadTx, volumes: readonly VolumeRecord[]): Promise<ExplainedVolume[]> {
    if (volumes.length === 0) return [];
    const now = await tx.now();
    const attached = await attachedInstances(tx, volumes);
    const projects = await namesOf(tx, 'projects', volumes.map(({ projectId }) => projectId)); // prettier-ignore
    const users = await namesOf(tx, 'users', volumes.map(({ userId }) => userId)); // prettier-ignore
    return volumes.map((volume) =>
      toWireVolume({
        volume,
        projectName: projects.get(volume.projectId) ?? '',
        userName: users.get(volume.userId) ?? '',
        attached: attached.filter(({ attachment }) => attachment.volumeId === volume.id),
        now,
      }),
    );
  }
}

async function attachedInstances(tx: ReadTx, volumes: readonly VolumeRecord[]): Promise<AttachedInstance[]> {
  const these = inList('volume_id', volumes.map(({ id }) => id)); // prettier-ignore
  const attachments = await findAttachments(tx, these.sql, these.params);
  if (attachments.length === 0) return [];
  const at = inList('i.id', attachments.map(({ instanceId }) => instanceId)); // prettier-ignore
  const rows = await tx.query<{ id: string; name: string; num: number; fleet: string | null }>(
    `SELECT i.id, i.name, i.instance_num AS num, f.name AS fleet FROM instances i LEFT JOIN fleets f ON f.id = i.fleet_id WHERE ${at.sql}`,
    at.params,
  );
  return attachments.flatMap((attachment) => {
    const instance = rows.find(({ id }) => id === attachment.instanceId);
    if (instance === undefined) return [];
    return [{ attachment, name: instance.name, instanceNum: Number(instance.num), fleetName: instance.fleet }];
  });
}

async function namesOf(tx: ReadTx, table: 'projects' | 'users', ids: readonly string[]): Promise<Map<string, string>> {
  const these = inList('id', [...new Set(ids)]);
  const rows = await tx.query<{ id: string; name: string }>(
    `SELECT id, name FROM ${table} WHERE ${these.sql}`,
    these.params,
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}
