import type { ReadTx } from '../persistence/transaction.js';

interface Kind {
  readonly what: string;
  readonly table: string;
  readonly still: string;
  readonly toDelete: string;
}

const KINDS: readonly Kind[] = [
  { what: 'live instances', table: 'instances', still: ` AND status <> 'terminated'`, toDelete: 'their fleets' },
  { what: 'volumes', table: 'volumes', still: '', toDelete: 'the volumes' },
  { what: 'gateways', table: 'gateways', still: '', toDelete: 'the gateways' },
];
const NAMES_SHOWN = 5;

/** Why a backend must stay configured: without it nobody could delete what it made, and that costs money. */
export async function backendInUse(tx: ReadTx, projectId: string, type: string): Promise<string | undefined> {
  const found: { readonly kind: Kind; readonly names: readonly string[] }[] = [];
  for (const kind of KINDS) {
    const rows = await tx.query<{ name: string }>(
      `SELECT name FROM ${kind.table} WHERE project_id = ? AND backend_type = ? AND deleted = false${kind.still}
       ORDER BY name LIMIT ${NAMES_SHOWN + 1}`,
      [projectId, type],
    );
    if (rows.length > 0) found.push({ kind, names: rows.map(({ name }) => name) });
  }
  if (found.length === 0) return undefined;
  const has = found.map(({ kind, names }) => `${kind.what} (${listed(names)})`);
  return `Backend ${type} has ${joined(has)} and stays. Delete ${joined(found.map(({ kind }) => kind.toDelete))} first`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return names.length > NAMES_SHOWN ? `${shown} and more` : shown;
}

function joined(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
