import { readFileSync } from 'node:fs';
import { GATEWAY_VERSION } from './version.js';

it('is that of the package', () => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ version: GATEWAY_VERSION });
});
