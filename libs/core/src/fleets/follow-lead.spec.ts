import { type ClusterMember, clusterRole } from './follow-lead.js';

const at = { backend: 'aws', region: 'us-east-1', zone: 'us-east-1b' } as const;
const member = (instanceNum: number, given: Partial<ClusterMember> = {}): ClusterMember => ({
  id: `i${instanceNum}`,
  instanceNum,
  at: null,
  ...given,
});

it.each([
  ['the first machine chooses', 'i0', [member(1), member(0)], { kind: 'lead' }],
  ['the others wait for it', 'i1', [member(0), member(1)], { kind: 'wait' }],
  ['and go where it is', 'i1', [member(0, { at }), member(1)], { kind: 'follow', at }],
  [
    'a machine that comes again goes where the others are',
    'i0',
    [member(0), member(1, { at })],
    { kind: 'follow', at },
  ],
  ['the next one is the first when it came to nothing', 'i1', [member(1), member(2)], { kind: 'lead' }],
  ['one alone chooses', 'i0', [], { kind: 'lead' }],
])('%s', (_rule, id, members, role) => {
  expect(clusterRole(id, members)).toEqual(role);
});
