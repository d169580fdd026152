import { parseRunSpecValue } from '../configuration/run-spec.js';
import { whyNotBuilt } from './not-built.js';

function configurationOf(configuration: object) {
  const parsed = parseRunSpecValue({ configuration });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value.configuration;
}

describe('what this version refuses to run', () => {
  it.each([
    ['a task', { type: 'task', commands: ['true'] }, null],
    ['a host directory', { type: 'task', commands: ['true'], volumes: ['/data:/data'] }, null],
    ['a service', { type: 'service', port: 80, commands: ['true'] }, /Services are not built yet/],
    ['access to the server', { type: 'task', commands: ['true'], dstack: true }, null],
    ['a network volume', { type: 'task', commands: ['true'], volumes: ['cache:/cache'] }, null],
  ])('%s', (_what, configuration, reason) => {
    const answer = whyNotBuilt(configurationOf(configuration));
    if (reason === null) expect(answer).toBeNull();
    else expect(answer).toMatch(reason);
  });
});
