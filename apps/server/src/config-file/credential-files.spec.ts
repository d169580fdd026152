import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCredentialFiles } from './credential-files.js';

const directory = mkdtempSync(join(tmpdir(), 'dstack-creds-'));
const file = join(directory, 'key.json');
beforeAll(() => writeFileSync(file, 'secret'));
afterAll(() => rmSync(directory, { recursive: true }));

it.each([
  ['the key of a service account', { type: 'gcp', creds: { filename: file } }, { filename: file, data: 'secret' }],
  ['a private key', { type: 'oci', creds: { key_file: file } }, { key_file: file, key_content: 'secret' }],
  ['what is there already', { type: 'gcp', creds: { filename: file, data: 'own' } }, { filename: file, data: 'own' }],
  ['no file', { type: 'gcp', creds: { type: 'default' } }, { type: 'default' }],
])('reads %s', async (_what, config, creds) => {
  expect((await readCredentialFiles(config)).creds).toEqual(creds);
});

it('reads the configuration of a cluster', async () => {
  const config = { type: 'kubernetes', kubeconfig: { filename: file } };
  expect((await readCredentialFiles(config)).kubeconfig).toEqual({ filename: file, data: 'secret' });
});

it('names the field and the file that cannot be read', async () => {
  const missing = join(directory, 'none.json');
  const config = { type: 'gcp', creds: { filename: missing } };
  await expect(readCredentialFiles(config)).rejects.toThrow(`creds.filename: ${missing} cannot be read`);
});
