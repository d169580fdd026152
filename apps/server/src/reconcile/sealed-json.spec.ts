import { openText, readSealed, writeSealed } from './sealed-json.js';

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

describe('as text', () => {
  it('is what would be read', () => {
    const text = openText(holder, writeSealed(holder, spec), (_field, open) => open());
    expect(JSON.parse(text)).toEqual(spec);
  });

  it('shows of sealed fields what it is told to', () => {
    const text = openText(holder, writeSealed(holder, spec), (field) => JSON.stringify(`a ${field}`));
    expect(text).not.toContain('secret-');
    expect(JSON.parse(text)).toEqual({
      configuration: {
        type: 'service',
        env: 'a env',
        groups: [{ name: 'g', env: 'a env', registry_auth: 'a registry_auth' }],
        probes: [{ url: '/x', headers: 'a headers' }],
        tags: { env: 'a env', team: 'x' },
      },
      registry_auth: null,
      env: {},
      ssh_key: 'a ssh_key',
    });
  });

  it('takes nothing for a sealed field that only is written like one in a text', () => {
    const written = {
      commands: ['echo \'"env":{"$sealed":"<eA==>"}\'', '\\"env":{"$sealed":"<eA==>"}'],
      env: { A: '\\"' },
    };
    const text = openText(holder, writeSealed(holder, written), (_field, open) => open());
    expect(JSON.parse(text)).toEqual(written);
  });
});
