import type { Defect } from '../defect.js';

const RELEASE = 'apps/server/src/jobs/release-instance.ts';
const COMMIT = 'apps/server/src/placement/placement-commit.ts';

/** Who holds which part of a machine. */
export const BLOCK_DEFECTS: readonly Defect[] = [
  {
    name: 'decrement-is-lost',
    loses: 'the blocks of every job that ended: the host is full for ever',
    knownFrom: 'the field',
    edits: [
      {
        file: RELEASE,
        find: `rev = rev + 1,
       busy_blocks = (SELECT COALESCE(SUM(COALESCE(j.blocks, 1)), 0) FROM jobs j WHERE j.instance_id = instances.id)`,
        replace: `rev = rev + 1`,
      },
    ],
  },
  {
    name: 'release-frees-the-whole-host',
    loses: 'the blocks of the other jobs on the host, which are handed out a second time',
    edits: [
      {
        file: RELEASE,
        find: `(SELECT COALESCE(SUM(COALESCE(j.blocks, 1)), 0) FROM jobs j WHERE j.instance_id = instances.id)`,
        replace: `0`,
      },
    ],
  },
  {
    name: 'released-twice',
    loses: 'blocks of the other jobs on a host, each time that one begins to end',
    knownFrom: 'the field',
    edits: [
      {
        file: 'apps/server/src/jobs/job-commit.ts',
        find: `    if (changes.release === true) await`,
        replace: `    if (status === 'terminating') await tx.execute('UPDATE instances SET busy_blocks = busy_blocks - 1 WHERE id = ?', [record.instanceId]);
    if (changes.release === true) await`,
      },
    ],
  },
  {
    name: 'blocks-are-not-counted',
    loses: 'the promise of a block of its own: two jobs share one',
    edits: [
      {
        file: 'libs/core/src/placement/capacity.ts',
        find: 'busyBlocks: instance.busyBlocks + blocks,',
        replace: 'busyBlocks: instance.busyBlocks,',
      },
      {
        file: COMMIT,
        find: `\n         AND busy_blocks + ? <= total_blocks\`,\n      [seat.blocks, now, seat.instanceId, seat.blocks],`,
        replace: `\`,\n      [seat.blocks, now, seat.instanceId],`,
      },
    ],
  },
  {
    name: 'fleet-grows-beyond-its-limit',
    loses: 'the limit of a fleet, and the money it was to save',
    edits: [
      {
        file: 'libs/core/src/placement/plan-seats.ts',
        find: 'fleet.maxNodes !== null && fleet.activeCount + count > fleet.maxNodes',
        replace: 'fleet.maxNodes !== null && fleet.activeCount > fleet.maxNodes',
      },
      {
        file: 'apps/server/src/fleets/hold-fleet.ts',
        find: 'return Number(row?.n ?? 0) < max;',
        replace: 'return Number(row?.n ?? 0) <= max;',
      },
    ],
  },
];
