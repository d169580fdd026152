import { bundledClouds } from '@dstack/catalog';
import type { ReadTx } from '../persistence/transaction.js';

export interface ConfiguredCloud {
  /** Null: those that the backend takes by itself. */
  readonly regions: readonly string[] | null;
}

/** The clouds with catalogs that projects have as backends. */
export async function configuredClouds(tx: ReadTx): Promise<Map<string, ConfiguredCloud[]>> {
  const rows = await tx.query<{ type: string; config: string }>(
    'SELECT b.type, b.config FROM backends b JOIN projects p ON p.id = b.project_id WHERE p.deleted = ? ORDER BY b.type',
    [false],
  );
  const clouds = new Map<string, ConfiguredCloud[]>();
  const known = bundledClouds();
  for (const { type, config } of rows) {
    if (!known.includes(type)) continue;
    const { regions } = JSON.parse(config) as { readonly regions?: readonly string[] | null };
    clouds.set(type, [...(clouds.get(type) ?? []), { regions: regions ?? null }]);
  }
  return clouds;
}

/** Where the configurations use a cloud. */
export function regionsOf(configured: readonly ConfiguredCloud[], byDefault: readonly string[]): string[] {
  return [...new Set(configured.flatMap(({ regions }) => regions ?? byDefault))].sort();
}
