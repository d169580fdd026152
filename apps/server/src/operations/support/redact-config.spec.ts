import { redactConfig } from './redact-config.js';

it('keeps the shape of config.yml and hides what could be a secret', () => {
  const text = `
projects:
  - name: main
    backends:
      - type: aws
        regions: [eu-west-1]
        creds: {type: access_key, access_key: AKIA, secret_key: s3cr3t}
encryption: {keys: [{type: aes, name: key1, secret: c2VjcmV0}]}
`;
  expect(redactConfig(text)).toEqual({
    projects: [
      {
        name: 'main',
        backends: [
          {
            type: 'aws',
            regions: ['eu-west-1'],
            creds: { type: 'access_key', access_key: '(hidden)', secret_key: '(hidden)' },
          },
        ],
      },
    ],
    encryption: { keys: [{ type: 'aes', name: 'key1', secret: '(hidden)' }] },
  });
  expect(redactConfig('a: [')).toBe('(no YAML)');
});
