import type { Defect } from '../defect.js';

const CLAIMS = 'apps/server/src/reconcile/claims.ts';
const CONNECTION_LEASE = 'apps/server/src/agents/connection-lease.ts';

/** Who may decide about a row, and who may speak to a host. */
export const LEASE_DEFECTS: readonly Defect[] = [
  {
    name: 'apply-is-not-fenced',
    loses: 'what another server has written meanwhile: a slow one overwrites it',
    knownFrom: 'the field',
    edits: [
      { file: 'apps/server/src/reconcile/hold-still.ts', find: ' && ours[index] === true', replace: '' },
      {
        file: 'apps/server/src/reconcile/end-lease.ts',
        find: '    if (changed < rows.length) throw new RowLostError();\n',
        replace: '',
      },
    ],
  },
  {
    name: 'claim-without-a-look-at-the-lease',
    loses: 'time and create calls: the same row is at work many times',
    edits: [
      {
        file: CLAIMS,
        find: `t.next_due_at <= ? AND (t.lease_expires_at IS NULL OR t.lease_expires_at <= ?)`,
        replace: `t.next_due_at <= ? AND (t.lease_expires_at IS NULL OR t.lease_expires_at > 0 OR t.lease_expires_at <= ?)`,
      },
    ],
  },
  {
    name: 'epoch-stays-the-same',
    loses: 'the order of commands: those of a server that lost the host are obeyed after those of its successor',
    edits: [
      {
        file: CONNECTION_LEASE,
        find: 'connection_epoch = connection_epoch + 1, connection_holder',
        replace: 'connection_holder',
      },
    ],
  },
];
