import { isSshFleet } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { findFleets } from '../fleets/fleet-record.js';
import { ClientError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import type { WriteTx } from '../persistence/transaction.js';
import type { ExportRow, ExportView } from './export-view.js';
import { refuseDuplicates } from './refuse-duplicates.js';
import type { SharedGateways } from './shared-gateways.js';

type LinkKind = 'fleet' | 'gateway';
const NOUN: Readonly<Record<LinkKind, string>> = { fleet: 'Fleet', gateway: 'Gateway' };

/** Which fleets and gateways are in an export. */
export class ExportLinks {
  constructor(
    private readonly view: ExportView,
    private readonly gateways: SharedGateways,
  ) {}

  async addFleets(tx: WriteTx, scope: ProjectScope, row: ExportRow, names: readonly string[]): Promise<void> {
    refuseDuplicates(names, 'Fleet');
    for (const name of names) {
      const [fleet] = await findFleets(tx, 'project_id = ? AND name = ? AND deleted = false', [scope.projectId, name]);
      if (fleet === undefined) throw new ResourceNotExistsError(`Fleet ${name} not found`);
      if (fleet.status !== 'active') throw new ClientError(`Fleet ${name} is being deleted`);
      if (!isSshFleet(fleet.spec.configuration))
        throw new ClientError(`Fleet ${name} is no SSH fleet: only those can be shared`);
      await addLink(tx, row, 'fleet', fleet);
    }
  }

  async addGateways(tx: WriteTx, scope: ProjectScope, row: ExportRow, names: readonly string[]): Promise<void> {
    refuseDuplicates(names, 'Gateway');
    const found = await this.gateways.named(tx, scope.projectId, names);
    for (const name of names) {
      const gateway = found.find((each) => each.name === name);
      if (gateway === undefined) throw new ResourceNotExistsError(`Gateway ${name} not found`);
      await addLink(tx, row, 'gateway', gateway);
    }
  }

  async remove(tx: WriteTx, row: ExportRow, kind: LinkKind, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    refuseDuplicates(names, NOUN[kind]);
    const [shown] = await this.view.exports(tx, [row]);
    const linked = (kind === 'fleet' ? shown?.exported_fleets : shown?.exported_gateways) ?? [];
    for (const name of names) {
      const thing = linked.find((each) => each.name === name);
      if (thing === undefined) throw new ResourceNotExistsError(`${NOUN[kind]} ${name} is not in export ${row.name}`);
      await tx.execute(`DELETE FROM exported_${kind}s WHERE export_id = ? AND ${kind}_id = ?`, [row.id, thing.id]);
    }
  }
}

async function addLink(
  tx: WriteTx,
  row: ExportRow,
  kind: LinkKind,
  thing: { id: string; name: string },
): Promise<void> {
  const added = await tx.execute(
    `INSERT INTO exported_${kind}s (export_id, ${kind}_id) VALUES (?, ?) ON CONFLICT DO NOTHING`,
    [row.id, thing.id],
  );
  if (added === 0) throw new ResourceExistsError(`${NOUN[kind]} ${thing.name} is in export ${row.name} already`);
}
