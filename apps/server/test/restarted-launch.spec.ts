import type { Idempotency, MachineRef } from '@dstack/backend-base';
import { NO_CAPABILITIES } from '@dstack/backend-base';
import { InstanceEffects } from '../src/instances/instance-effects.js';
import { InstanceLimits } from '../src/instances/instance-limits.js';
import type { InstanceView } from '../src/instances/instance-snapshots.js';
import { ComputeAccounts } from '../src/offers/compute-accounts.js';
import type { ActContext } from '../src/reconcile/reconciler.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';

const HALF_AN_HOUR = 30 * 60_000;

/** A server that has just started knows nothing of a backend whose create call its former life did not hear the answer of. */
describe('a create call without an answer, after a restart', () => {
  let server: TestServer;
  let lookups = 0;
  beforeEach(async () => {
    server = await startTestServer({ backgroundProcessing: false, localBackend: false });
    lookups = 0;
  });
  afterEach(() => server.close());

  const haveBackend = (
    idempotency: Idempotency,
    found: MachineRef[] = [],
    terminate: (ref: MachineRef) => Promise<'done'> = async () => 'done',
  ): void => {
    const account = {
      type: 'aws',
      definition: {
        type: 'aws',
        idempotency,
        maxNameLength: 60,
        provisioningTimeoutMs: () => HALF_AN_HOUR,
        capabilities: { ...NO_CAPABILITIES, kind: 'hosts', runtimes: ['container'] },
      },
      compute: {
        list: async () => {
          lookups += 1;
          return found.map((ref) => ({ ref, owner: 'us', token: null, createdAt: null }));
        },
        terminate,
      },
    };
    const accounts: Pick<ComputeAccounts, 'open'> = server.app.get(ComputeAccounts);
    // Settling and terminating use no more of an account.
    accounts.open = async () => account as unknown as Awaited<ReturnType<ComputeAccounts['open']>>;
  };
  const perform = (what: 'settle' | 'terminate', record: object, attempt: object): Promise<unknown> => {
    // They look at no more of the instance.
    const context = {
      snapshot: { record, attempts: [attempt] },
      signal: new AbortController().signal,
      now: Date.now(),
    } as unknown as ActContext<InstanceView>;
    return server.app.get(InstanceEffects).perform({ do: what }, context);
  };
  const settle = (): Promise<unknown> => {
    const attempt = { backendType: 'aws', cloudName: 'a', token: 't', askedAt: Date.now(), createdAt: Date.now() };
    return perform('settle', { projectId: 'p' }, attempt);
  };

  it.each(['token', 'name'] as const)('is simply made again where the cloud knows the %s', async (kind) => {
    const limits = server.app.get(InstanceLimits);
    expect(limits.idempotencyOf('aws')).toBe('lookup');
    haveBackend({ kind });
    expect(await settle()).toEqual({ repeatable: true });
    expect(limits.idempotencyOf('aws')).toBe(kind);
    expect(lookups).toBe(0);
  });

  it('is looked up where the cloud knows neither', async () => {
    haveBackend({ kind: 'lookup', listLagMs: 1_000 });
    expect(await settle()).toEqual({ undecided: true });
    const ref = { cloudName: 'a', machineId: 'm', region: 'r', zone: null, backendData: null };
    haveBackend({ kind: 'lookup', listLagMs: 1_000 }, [ref]);
    expect(await settle()).toEqual({ found: ref });
  });

  it('is looked for by its name when its machine is given up, however long ago it was made', async () => {
    const asked: MachineRef[] = [];
    const terminate = async (ref: MachineRef): Promise<'done'> => {
      asked.push(ref);
      return 'done';
    };
    haveBackend({ kind: 'name' }, [], terminate);
    const known = { cloudName: 'a', machineId: 'm', region: 'r', zone: null, backendData: null };
    const endOf = (askedAt: number | null): Promise<unknown> => {
      asked.length = 0;
      const attempt = { backendType: 'aws', cloudName: 'a', region: 'r', zone: null, outcome: 'created', askedAt };
      return perform('terminate', { projectId: 'p', hostName: null, group: null, machine: { ref: known } }, attempt);
    };
    expect(await endOf(Date.now() - HALF_AN_HOUR)).toBe('done');
    expect(asked).toEqual([known, { ...known, machineId: null }]);
    expect(await endOf(null)).toBe('done');
    expect(asked).toEqual([known]);
  });

  it('leaves a machine that starts slowly its time', async () => {
    const limits = server.app.get(InstanceLimits);
    const instance = { backendType: 'aws', offer: null } as const;
    expect(limits.provisioningMs(instance)).toBeGreaterThan(HALF_AN_HOUR);
    haveBackend({ kind: 'token' });
    await settle();
    expect(limits.provisioningMs(instance)).toBe(HALF_AN_HOUR);
  });
});
