import { listProcesses, processesOf, type ProcessEntry } from './process-table.js';

const entry = (pid: number, parent: number, args: string[] = [], jobId: string | null = null): ProcessEntry => ({
  pid,
  parent,
  args,
  jobId,
});
const instance = { directory: '/srv/local/a', jobIds: new Set(['job-1']) };

it.each([
  ['the agent', [entry(2, 1, ['node', 'agent', 'host', '--dir', '/srv/local/a'])], [2]],
  ['the side of a job', [entry(2, 1, ['agent', 'job', '--dir', '/srv/local/a/jobs/1'])], [2]],
  ['what carries a job id', [entry(2, 1, ['sleep'], 'job-1')], [2]],
  ['what those started', [entry(4, 3), entry(3, 2), entry(2, 1, [], 'job-1')], [2, 3, 4]],
  ['not the agent of another instance', [entry(2, 1, ['agent', 'host', '--dir', '/srv/local/ab'])], []],
  ['not the job of another', [entry(2, 1, [], 'job-2')], []],
  ['not a reader of its files', [entry(2, 1, ['less', '/srv/local/a/agent.log'])], []],
])('%s', (_what, processes, expected) => {
  expect(processesOf(processes, instance).sort()).toEqual(expected);
});

it('finds this process in the table of the system', async () => {
  const own = (await listProcesses()).find(({ pid }) => pid === process.pid);
  expect(own).toMatchObject({ parent: process.ppid });
});
