import { parseRunSpecValue, type Wire } from '@dstack/core';
import { redactJobSpec, redactRunSpec } from './redact.js';

const HIDDEN = '********';
const headers = [{ name: 'Authorization', value: 'secret' }];
const registry_auth = { username: 'secret', password: 'secret' };
const configuration = {
  type: 'service',
  port: 80,
  commands: ['true'],
  image: 'x',
  env: { TOKEN: 'secret' },
  registry_auth,
  probes: [{ type: 'http', url: '/', headers }],
};

it('shows other members the names of variables and headers, not their values', () => {
  const parsed = parseRunSpecValue({ configuration });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const redacted = redactRunSpec(parsed.value);
  expect(JSON.stringify(redacted)).not.toContain('secret');
  expect(redacted.configuration).toMatchObject({
    env: { TOKEN: HIDDEN },
    probes: [{ url: '/', headers: [{ name: 'Authorization', value: HIDDEN }] }],
  });
});

it('hides the same of jobs, and the key of their nodes from everybody', () => {
  const probes = [{ type: 'http', url: '/', method: 'get', headers }];
  const ssh_key = { public: 'p', private: 'secret' };
  const spec = { env: { TOKEN: 'secret' }, registry_auth, probes, ssh_key } as unknown as Wire.JobSpec; // of the rest nothing is read
  expect(JSON.stringify(redactJobSpec(spec, false))).not.toContain('secret');
  expect(redactJobSpec(spec, true)).toEqual({ ...spec, ssh_key: null });
});
