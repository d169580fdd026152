import { readSealed, writeSealed } from './sealed-json.js';

/** Shows what went through it. */
const holder = {
  sealing: { seal: (text: string) => `<${btoa(text)}>`, open: (sealed: string) => atob(sealed.slice(1, -1)) },
};

const spec = {
  configuration: {
    type: 'service',
    env: { A: 'secret-1', $sealed: 'secret-2' },
    groups: [{ name: 'g', env: { B: { key: 'B' } }, registry_auth: { username: 'u', password: 'secret-3' } }],
    probes: [{ url: '/x', headers: [{ name: 'Authorization', value: 'secret-4' }] }],
    tags: { env: 'production', team: 'x' },
  },
  registry_auth: null,
  env: {},
  ssh_key: { public: 'p', private: 'secret-5' },
};

it('seals what may be a secret and nothing else', () => {
  const text = writeSealed(holder, spec);
  expect(text).not.toContain('secret-');
  expect(JSON.parse(text)).toMatchObject({
    configuration: { type: 'service', groups: [{ name: 'g' }], probes: [{ url: '/x' }], tags: { team: 'x' } },
    registry_auth: null,
    env: {},
  });
});

it('is read as it was written', () => {
  expect(readSealed(holder, writeSealed(holder, spec))).toEqual(spec);
});

it('reads what was written before there was sealing', () => {
  expect(readSealed(holder, JSON.stringify(spec.configuration.groups))).toEqual(spec.configuration.groups);
});
