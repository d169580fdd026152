import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { type FleetRecord, type FleetRow, toFleetRecord } from './fleet-record.js';

/** A fleet of another project, which shares it. */
export interface ImportedFleet extends FleetRecord {
  /** The project it is of. */
  readonly projectName: string;
}

const importedBy = rowsByKey({
  select: `SELECT * FROM (
      SELECT im.project_id AS importer_id, p.name AS project_name, f.* FROM imports im
      JOIN exported_fleets ef ON ef.export_id = im.export_id
      JOIN fleets f ON f.id = ef.fleet_id JOIN projects p ON p.id = f.project_id WHERE f.deleted = false) imported`,
  key: 'importer_id',
  read: (tx, row: FleetRow & { readonly importer_id: string; readonly project_name: string }): ImportedFleet => ({
    ...toFleetRecord(tx, row),
    projectName: row.project_name,
  }),
});

/** What other projects share with this one, the oldest first. */
export async function findImportedFleets(tx: ReadTx, projectId: string): Promise<ImportedFleet[]> {
  const rows = await importedBy(tx, projectId);
  const fleets = new Map(rows.map((fleet) => [fleet.id, fleet])); // one may be in several exports
  return [...fleets.values()].sort((a, b) => a.createdAt - b.createdAt || a.id.localeCompare(b.id));
}

/**
 * Whether the fleet is shared with the project, until the end of the transaction: whoever takes it away waits for that, and then sees
 * what was put there.
 */
export async function holdImportedFleet(tx: WriteTx, projectId: string, fleetId: string): Promise<boolean> {
  const lock = tx.dialect === 'postgres' ? ' FOR KEY SHARE' : '';
  const rows = await tx.query(
    `SELECT im.id FROM imports im JOIN exported_fleets ef ON ef.export_id = im.export_id
     WHERE im.project_id = ? AND ef.fleet_id = ?${lock}`,
    [projectId, fleetId],
  );
  return rows.length > 0;
}
