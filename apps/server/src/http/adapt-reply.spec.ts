import { adaptReply } from './adapt-reply.js';
import { parseClientVersion } from './client-version.js';

const service = {
  type: 'service',
  port: 80,
  probes: null,
  https: null,
  gateway: { project: 'p', name: 'g' },
  fleets: [{ project: null, name: 'f' }],
};
const run = [{ run_spec: { configuration: service } }];

describe('a reply', () => {
  it.each([
    ['latest', service],
    ['0.21.2', service],
    ['0.20.19', { ...service, gateway: 'p/g' }],
    ['0.20.13', { ...service, gateway: 'p/g', fleets: ['f'] }],
    ['0.20.11', { ...service, gateway: 'p/g', fleets: ['f'], https: true }],
    ['0.20.7', { ...service, gateway: 'p/g', fleets: ['f'], https: true, probes: [] }],
  ])('for a client of version %s', (version, configuration) => {
    expect(adaptReply(run, parseClientVersion(version))).toEqual([{ run_spec: { configuration } }]);
  });

  it('leaves tasks without service fields', () => {
    const task = { type: 'task', probes: null, gateway: null };
    expect(adaptReply(task, parseClientVersion('0.20.7'))).toEqual(task);
  });
});
