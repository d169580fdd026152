import { parseFleetSpecValue, type Wire } from '@dstack/core';
import type { WriteTx } from '../persistence/transaction.js';
import type { World } from '../world/world.js';
import { insertFleet } from './fleets.service.js';

export const LOCAL_FLEET = 'local';

/** Gives a project the fleet of this machine, so that a first run needs no set-up. One that was ever deleted stays deleted. */
export async function ensureLocalFleet(tx: WriteTx, world: World, projectId: string): Promise<void> {
  const [known] = await tx.query('SELECT id FROM fleets WHERE project_id = ? AND name = ? LIMIT 1', [
    projectId,
    LOCAL_FLEET,
  ]);
  if (known !== undefined) return;
  await insertFleet(tx, { id: world.ids.uuid(), projectId, name: LOCAL_FLEET, spec: localFleetSpec() });
}

function localFleetSpec(): Wire.FleetSpec {
  const parsed = parseFleetSpecValue({
    configuration: {
      type: 'fleet',
      name: LOCAL_FLEET,
      nodes: '0..',
      backends: ['remote'],
      resources: { cpu: '1..', memory: '0..', disk: null },
      // Each job takes its share of the machine; an idle share would only keep others out.
      idle_duration: 0,
    },
    profile: { name: 'default' },
    autocreated: true,
  });
  if (parsed.ok) return parsed.value;
  throw new Error(
    `the local fleet's own specification is refused: ${parsed.issues.map((issue) => issue.message).join('; ')}`,
  );
}
