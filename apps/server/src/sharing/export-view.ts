import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';
import { SharedGateways } from './shared-gateways.js';

export interface ExportRow {
  readonly id: string;
  readonly name: string;
  readonly is_global: boolean | number;
  readonly project_id: string;
}

interface Shared {
  readonly fleets: Wire.ExportedFleet[];
  readonly gateways: Wire.ExportedGateway[];
}

/** Exports and imports as clients see them. */
@Injectable()
export class ExportView {
  constructor(@Inject(SharedGateways) private readonly gateways: SharedGateways) {}

  async exports(tx: ReadTx, rows: readonly ExportRow[]): Promise<Wire.Export[]> {
    const shared = await this.shared(
      tx,
      rows.map(({ id }) => id),
    );
    const these = inList('im.export_id', rows.map(({ id }) => id)); // prettier-ignore
    const importers = await tx.query<{ export_id: string; name: string }>(
      `SELECT im.export_id, p.name FROM imports im JOIN projects p ON p.id = im.project_id WHERE ${these.sql} ORDER BY p.name`,
      these.params,
    );
    return rows.map(({ id, name, is_global: isGlobal }) => ({
      id,
      name,
      is_global: Boolean(isGlobal),
      // A global one is everybody's: its importers are not counted up.
      imports: isGlobal ? [] : importers.filter((row) => row.export_id === id).map((row) => ({ project_name: row.name })), // prettier-ignore
      exported_fleets: shared(id).fleets,
      exported_gateways: shared(id).gateways,
    }));
  }

  async imports(tx: ReadTx, projectId: string): Promise<Wire.Import[]> {
    const rows = await tx.query<{ id: string; export_id: string; name: string; project_name: string }>(
      `SELECT im.id, e.id AS export_id, e.name, p.name AS project_name FROM imports im JOIN exports e ON e.id = im.export_id
       JOIN projects p ON p.id = e.project_id WHERE im.project_id = ? ORDER BY p.name, e.name`,
      [projectId],
    );
    const shared = await this.shared(tx, rows.map((row) => row.export_id)); // prettier-ignore
    return rows.map((row) => ({
      id: row.id,
      export: {
        id: row.export_id,
        name: row.name,
        project_name: row.project_name,
        exported_fleets: shared(row.export_id).fleets,
        exported_gateways: shared(row.export_id).gateways,
      },
    }));
  }

  private async shared(tx: ReadTx, exportIds: readonly string[]): Promise<(exportId: string) => Shared> {
    const these = inList('export_id', exportIds);
    const fleets = await tx.query<{ export_id: string; id: string; name: string }>(
      `SELECT ef.export_id, f.id, f.name FROM exported_fleets ef JOIN fleets f ON f.id = ef.fleet_id
       WHERE ${these.sql} AND f.deleted = false ORDER BY f.name`,
      these.params,
    );
    const links = await tx.query<{ export_id: string; gateway_id: string }>(
      `SELECT export_id, gateway_id FROM exported_gateways WHERE ${these.sql}`,
      these.params,
    );
    const gateways = await this.gateways.byId(tx, [...new Set(links.map((link) => link.gateway_id))]);
    return (exportId) => ({
      fleets: fleets.filter((row) => row.export_id === exportId).map(({ id, name }) => ({ id, name })),
      gateways: gateways
        .filter(({ id }) => links.some((link) => link.export_id === exportId && link.gateway_id === id))
        .map(({ id, name }) => ({ id, name })),
    });
  }
}
