import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withNamedFiles } from './with-named-files.js';

describe('files that the configuration names', () => {
  const dir = mkdtempSync(join(tmpdir(), 'named-'));
  const file = join(dir, 'file');
  writeFileSync(file, 'the text');
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each([
    ['of a kubeconfig', { kubeconfig: { filename: file } }, { kubeconfig: { filename: file, data: 'the text' } }],
    ['of a key', { creds: { type: 'service_account', filename: file } }, { creds: { type: 'service_account', filename: file, data: 'the text' } }],
    ['not where the text stands', { creds: { filename: file, data: 'own' } }, { creds: { filename: file, data: 'own' } }],
    ['not where none is named', { creds: { type: 'default' }, regions: ['a'] }, { creds: { type: 'default' }, regions: ['a'] }],
    ['not where it is no name', { creds: { filename: 5 } }, { creds: { filename: 5 } }],
  ])('are read: %s', async (_what, given, expected) => {
    expect(await withNamedFiles({ type: 'x', ...given })).toEqual({ type: 'x', ...expected });
  }); // prettier-ignore

  it('are missed by the name of the field', async () => {
    await expect(withNamedFiles({ type: 'gcp', creds: { filename: join(dir, 'none') } })).rejects.toThrow('gcp: creds.filename: there is no file'); // prettier-ignore
  });
});
