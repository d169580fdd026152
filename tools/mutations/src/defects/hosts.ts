import type { Defect } from '../defect.js';

const EFFECTS = 'apps/server/src/instances/instance-effects.ts';

/** Hosts that people give, and want back as they were. */
export const HOST_DEFECTS: readonly Defect[] = [
  {
    name: 'agent-stays-on-a-released-host',
    loses: 'the host: what was installed there stays there',
    edits: [
      {
        file: EFFECTS,
        find: 'if (record.progress.reached) await this.hosts.offboard(id, signal);',
        replace: 'if (!record.progress.reached) await this.hosts.offboard(id, signal);',
      },
    ],
  },
  {
    name: 'visit-is-not-remembered',
    loses: 'a host that was being prepared when the server died: nobody clears it',
    knownFrom: 'this server',
    edits: [
      {
        file: EFFECTS,
        find: '() => markReached(this.db, context.id)',
        replace: 'async () => undefined',
      },
      { file: EFFECTS, find: `import { markReached } from '../hosts/host-progress.js';\n`, replace: '' },
    ],
  },
  {
    name: 'host-is-prepared-after-it-was-let-go',
    loses: 'a host that was taken out of its fleet while it was being prepared',
    knownFrom: 'this server',
    edits: [
      {
        file: 'apps/server/src/hosts/host-progress.ts',
        find: ` AND status = 'pending'\``,
        replace: `\``,
      },
    ],
  },
  {
    name: 'greeting-forgets-the-jobs',
    loses: 'every job on a host whose connection was made again',
    edits: [
      {
        file: 'apps/server/src/agents/host-connection.ts',
        find: `await api.desire([...jobs.map((job) => job.id),`,
        replace: `await api.desire([...jobs.slice(1).map((job) => job.id),`,
      },
    ],
  },
];
