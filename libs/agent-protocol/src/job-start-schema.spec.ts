import { parseJobStart } from './job-start-schema.js';

const job = {
  id: '3f0c',
  runId: 'r',
  runName: 'n',
  projectName: 'p',
  jobName: 'j',
  runtime: 'process',
  commands: ['true'],
  env: {},
  files: [],
  gpuCount: 0,
  ssh: { authorizedKeys: [] },
  cluster: { nodesNum: 1, nodeRank: 0, nodesIps: [], gpusPerNode: 0, gpusNum: 0 },
  repoId: 'none',
};

describe('the shape of a job', () => {
  it('is kept, and what a newer server added is dropped', () => {
    expect(parseJobStart({ ...job, fromTheFuture: 1 })).toEqual(job);
  });

  it.each([
    ['an id that is a path', { id: '../../etc' }, 'id:'],
    ['a container job without its container', { runtime: 'container' }, 'container:'],
    ['a blob that is no hash', { files: [{ blob: '../x', path: 'a' }] }, 'files.0.blob'],
    ['environment values that are no text', { env: { A: 1 } }, 'env.A'],
  ])('refuses %s, and names the field', (_what, change, message) => {
    expect(() => parseJobStart({ ...job, ...change })).toThrow(message);
  });
});
