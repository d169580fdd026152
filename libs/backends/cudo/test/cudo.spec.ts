import { isBackendError } from '@dstack/backend-base';
import { testEnvironment } from '@dstack/backend-base/conformance';
import { cudoModule } from '../src/compute.js';
import { cudoDefinition } from '../src/index.js';

const ENVIRONMENT = testEnvironment(null);
const config = cudoDefinition.configSchema.parse({ type: 'cudo', project_id: 'p', creds: { api_key: 'k' } });
const ref = { cloudName: 'x', machineId: 'x', region: 'r', zone: null, backendData: null };
const call = () => ({ signal: new AbortController().signal, deadline: Date.now() + 1_000 });

describe('a cloud that has closed', () => {
  it('still has its configuration read', () => {
    expect(config).toMatchObject({ type: 'cudo', creds: { type: 'api_key' } });
  });

  it.each(['offers', 'create'] as const)('says so when asked for %s', async (what) => {
    const compute = await cudoModule.open(config, ENVIRONMENT);
    const refused: unknown = await Promise.resolve(compute[what]({} as never, call())).catch((error: unknown) => error);
    expect(isBackendError(refused) && [refused.failure.kind, refused.message]).toEqual([
      'rejected',
      expect.stringContaining('closed its public cloud on 2026-03-31'),
    ]);
  });

  it('has no machines, so that its backend can be removed', async () => {
    const compute = await cudoModule.open(config, ENVIRONMENT);
    expect(await compute.list('us', call())).toEqual([]);
    expect(await compute.get(ref, call())).toEqual({ state: 'gone' });
    expect(await compute.terminate(ref, call())).toBe('done');
  });
});
