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

  const haveBackend = (idempotency: Idempotency, found: MachineRef[] = []): void => {
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
      },
    };
    const accounts: Pick<ComputeAccounts, 'open'> = server.app.get(ComputeAccounts);
    // Settling uses no more of an account.
    accounts.open = async () => account as unknown as Awaited<ReturnType<ComputeAccounts['open']>>;
  };
  const settle = (): Promise<unknown> => {
    const attempt = { backendType: 'aws', cloudName: 'a', token: 't', askedAt: Date.now(), createdAt: Date.now() };
    const snapshot = { record: { projectId: 'p' }, attempts: [attempt] };
    // Settling looks at no more of the instance.
    const context = {
      snapshot,
      signal: new AbortController().signal,
      now: Date.now(),
    } as unknown as ActContext<InstanceView>;
    return server.app.get(InstanceEffects).perform({ do: 'settle' }, context);
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

  it('leaves a machine that starts slowly its time', async () => {
    const limits = server.app.get(InstanceLimits);
    const instance = { backendType: 'aws', offer: null } as const;
    expect(limits.provisioningMs(instance)).toBeGreaterThan(HALF_AN_HOUR);
    haveBackend({ kind: 'token' });
    await settle();
    expect(limits.provisioningMs(instance)).toBe(HALF_AN_HOUR);
  });
});
