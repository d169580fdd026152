import type { GatewayReplicaStatus } from '../wire/enums.js';
import { decideGateway } from './decide-gateway.js';
import { decideGatewayReplica } from './decide-gateway-replica.js';
import type { GatewayReplicaFact, GatewaySnapshot } from './gateway-snapshot.js';
import type { GatewayReplicaSnapshot } from './gateway-replica-snapshot.js';
import { LIMITS } from './limits.js';

const NOW = 1_000_000_000;

const replica = (num: number, status: GatewayReplicaStatus, over: Partial<GatewayReplicaFact> = {}) => ({
  id: `r${num}`,
  num,
  status,
  isUnwanted: false,
  message: null,
  ...over,
});
const gateway = (over: Partial<GatewaySnapshot>): GatewaySnapshot => ({
  status: 'running',
  deletionRequested: false,
  desired: 1,
  hasBalancer: false,
  replicas: [],
  failures: 0,
  lastFailureAt: null,
  ...over,
});

describe('a gateway', () => {
  it.each<[string, Partial<GatewaySnapshot>, object]>([
    [
      'that is new makes its replicas',
      { status: 'submitted', desired: 2 },
      { status: 'provisioning', effects: [{ do: 'create-replicas', nums: [0, 1] }] },
    ],
    [
      'waits for its first replica',
      { status: 'provisioning', replicas: [replica(0, 'provisioning')] },
      { status: 'provisioning', effects: [] },
    ],
    [
      'runs as soon as one replica does',
      { status: 'provisioning', desired: 2, replicas: [replica(0, 'running'), replica(1, 'provisioning')] },
      { status: 'running' },
    ],
    [
      'has not failed while another replica may still come',
      { status: 'provisioning', desired: 2, replicas: [replica(0, 'terminated'), replica(1, 'provisioning')] },
      { status: 'provisioning' },
    ],
    [
      'has failed when none is left, and says why',
      { status: 'provisioning', replicas: [replica(0, 'terminating', { message: 'no sudo' })] },
      { status: 'failed', changes: { message: 'no sudo' } },
    ],
    [
      'that is whole is left alone',
      { replicas: [replica(0, 'running')] },
      { status: 'running', effects: [], dueAt: null },
    ],
    [
      'that grows makes the missing one',
      { desired: 2, replicas: [replica(0, 'running')] },
      { effects: [{ do: 'create-replicas', nums: [1] }] },
    ],
    [
      'that shrinks drops what serves least',
      { replicas: [replica(0, 'provisioning'), replica(1, 'running')] },
      { effects: [{ do: 'drop-replicas', ids: ['r0'] }] },
    ],
    [
      'that loses its replica counts it once',
      { replicas: [replica(0, 'terminating', { message: 'its machine is gone' })] },
      {
        status: 'running',
        effects: [{ do: 'drop-replicas', ids: ['r0'] }],
        changes: { failures: 1, lastFailureAt: NOW, message: 'its machine is gone' },
      },
    ],
    [
      'replaces the first loss at once, and forgets what has ended',
      { failures: 1, lastFailureAt: NOW, replicas: [replica(0, 'terminated', { isUnwanted: true })] },
      {
        effects: [
          { do: 'forget-replicas', ids: ['r0'] },
          { do: 'create-replicas', nums: [0] },
        ],
      },
    ],
    ['replaces later ones later', { failures: 3, lastFailureAt: NOW }, { effects: [], dueAt: NOW + 2 * 60_000 }],
    [
      'that is whole again forgets its failures',
      { failures: 3, lastFailureAt: NOW, replicas: [replica(0, 'running')] },
      { changes: { failures: 0, lastFailureAt: null, message: null } },
    ],
    [
      'does not give the number of a machine that still ends to another one',
      { failures: 1, lastFailureAt: NOW, replicas: [replica(0, 'terminating', { isUnwanted: true })] },
      { effects: [{ do: 'create-replicas', nums: [1] }] },
    ],
    [
      'that is deleted drops what it has',
      { deletionRequested: true, replicas: [replica(0, 'running')] },
      { effects: [{ do: 'drop-replicas', ids: ['r0'] }] },
    ],
    [
      'is deleted once nothing is left',
      { deletionRequested: true, replicas: [replica(0, 'terminated')] },
      { changes: { deletedAt: NOW } },
    ],
    [
      'that has failed lets go of what it has',
      { status: 'failed', replicas: [replica(0, 'provisioning')] },
      { status: 'failed', effects: [{ do: 'drop-replicas', ids: ['r0'] }] },
    ],
    [
      'that fails is looked at once more for its balancer',
      { status: 'provisioning', hasBalancer: true, replicas: [replica(0, 'terminated', { message: 'no' })] },
      { status: 'failed', dueAt: NOW },
    ],
    [
      'that has failed keeps its balancer until its machines have left it',
      { status: 'failed', hasBalancer: true, replicas: [replica(0, 'terminating')] },
      { effects: [] },
    ],
    [
      'that has failed gives its balancer back, and stays',
      { status: 'failed', hasBalancer: true, replicas: [replica(0, 'terminated')] },
      { status: 'failed', effects: [{ do: 'delete-balancer', isLast: false }] },
    ],
    [
      'with a balancer is deleted when that is gone',
      { deletionRequested: true, hasBalancer: true, replicas: [replica(0, 'terminated')] },
      { effects: [{ do: 'delete-balancer', isLast: true }], changes: {} },
    ],
  ])('%s', (_what, over, expected) => {
    expect(decideGateway(gateway(over), NOW)).toMatchObject(expected);
  });
});

const base = { createdAt: NOW, statusChangedAt: NOW, isUnwanted: false, isOwnHost: false, trouble: null };
const submitted: GatewayReplicaSnapshot = { ...base, status: 'submitted', isNamed: false };
const provisioning = (over: object = {}): GatewayReplicaSnapshot => ({
  ...base,
  status: 'provisioning',
  machine: 'none',
  machineMessage: null,
  isInstalled: false,
  hasToJoin: false,
  ...over,
});
const running = (over: object = {}): GatewayReplicaSnapshot => ({
  ...base,
  status: 'running',
  machine: 'ready',
  unreachableSince: null,
  isOutdated: false,
  ...over,
});
const terminating = (over: object = {}): GatewayReplicaSnapshot => ({
  ...base,
  status: 'terminating',
  isGone: false,
  ...over,
});
const trouble = (over: object = {}) => ({ failures: 1, nextTryAt: NOW, message: 'no', isFinal: false, ...over });
const effects = (...kinds: string[]) => ({ effects: kinds.map((kind) => ({ do: kind })) });

describe('a replica of a gateway', () => {
  it.each<[string, GatewayReplicaSnapshot, object]>([
    ['is named before it is made', submitted, { status: 'submitted', ...effects('plan') }],
    ['with a name may be made', { ...submitted, isNamed: true }, { status: 'provisioning', ...effects() }],
    ['on an own host needs no name', { ...submitted, isOwnHost: true }, { status: 'provisioning' }],
    ['that is not wanted any more ends', { ...submitted, isUnwanted: true }, { status: 'terminating' }],
    ['is made', provisioning(), effects('create')],
    ['is waited for', provisioning({ machine: 'starting' }), effects('poll')],
    ['that is there gets the program', provisioning({ machine: 'ready' }), effects('install')],
    ['with the program runs', provisioning({ machine: 'ready', isInstalled: true }), { status: 'running' }],
    [
      'with the program joins the balancer',
      provisioning({ machine: 'ready', isInstalled: true, hasToJoin: true }),
      { status: 'provisioning', ...effects('join') },
    ],
    [
      'whose machine ends before it has joined ends',
      provisioning({ machine: 'gone', isInstalled: true, hasToJoin: true }),
      { status: 'terminating' },
    ],
    [
      'whose machine fails ends, and says why',
      provisioning({ machine: 'failed', machineMessage: 'no quota' }),
      { status: 'terminating', changes: { message: 'no quota' } },
    ],
    [
      'that is refused for good ends',
      provisioning({ trouble: trouble({ isFinal: true }) }),
      { status: 'terminating', changes: { message: 'no' } },
    ],
    [
      'that fails is tried again later',
      provisioning({ machine: 'ready', trouble: trouble({ nextTryAt: NOW + 5 }) }),
      { status: 'provisioning', effects: [], dueAt: NOW + 5 },
    ],
    [
      'that never gets ready ends with its last error',
      provisioning({ createdAt: NOW - LIMITS.gatewayReadyMs, trouble: trouble() }),
      { status: 'terminating', changes: { message: 'no' } },
    ],
    ['that serves is left alone', running(), { status: 'running', effects: [], dueAt: null }],
    ['of another version is brought to this one', running({ isOutdated: true }), effects('install')],
    ['that cannot be reached is looked for', running({ unreachableSince: NOW }), effects('poll')],
    [
      'that cannot be reached for long is given up',
      running({ unreachableSince: NOW - LIMITS.unreachableInstanceMs }),
      { status: 'terminating' },
    ],
    [
      'whose machine is gone is given up at once',
      running({ unreachableSince: NOW, machine: 'gone' }),
      { status: 'terminating', changes: { message: 'its machine is gone' } },
    ],
    [
      'on an own host is waited for as long as it takes',
      running({ isOwnHost: true, unreachableSince: NOW - 10 * LIMITS.unreachableInstanceMs }),
      { status: 'running', effects: [] },
    ],
    ['that is to go is ended', running({ isUnwanted: true }), { status: 'terminating' }],
    ['is ended until it is gone', terminating({ statusChangedAt: 0 }), effects('terminate')],
    ['that is gone is over', terminating({ isGone: true }), { status: 'terminated' }],
    [
      'on an own host that cannot be reached is let go',
      terminating({ isOwnHost: true, statusChangedAt: NOW - LIMITS.gatewayUninstallMs }),
      { status: 'terminated' },
    ],
  ])('%s', (_what, snapshot, expected) => {
    expect(decideGatewayReplica(snapshot, NOW)).toMatchObject(expected);
  });
});
