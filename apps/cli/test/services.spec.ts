import type { Wire } from '@dstack/sdk';
import { runsTable } from '../src/render/runs-table.js';
import { isRollingOut, rollout } from '../src/render/rollout-text.js';
import { firstRequest, hasReadyReplica, serviceLines } from '../src/render/service-text.js';
import { waitingText } from '../src/render/waiting-text.js';
import { createStyle } from '../src/terminal/style.js';
import { job, run, submission } from './builders.js';

const style = createStyle(false);
const serverUrl = 'http://127.0.0.1:3000';
const url = '/proxy/services/main/web/';
const model = { name: "o'llama", base_url: `${url}v1`, type: 'chat' };

function service(changes: { model?: Wire.ServiceModelSpec; auth?: boolean; status?: Wire.RunStatus } = {}): Wire.Run {
  const { auth = true, status = 'running' } = changes;
  return {
    ...run({ name: 'web', status, job: submission({ status: 'running' }) }),
    run_spec: { run_name: 'web', configuration: { type: 'service', port: 80, auth } },
    service: { url, model: changes.model ?? null },
  };
}

describe('where a service is reached', () => {
  it('is told with the address of the server', () => {
    expect(serviceLines(service({ model }), { serverUrl, style }).join('\n')).toBe(
      [
        'Service is published at:',
        '  http://127.0.0.1:3000/proxy/services/main/web/',
        "Model o'llama is published at:",
        '  http://127.0.0.1:3000/proxy/services/main/web/v1',
      ].join('\n'),
    );
  });

  it('is not told of what is none', () => {
    expect(serviceLines(run({ status: 'running' }), { serverUrl, style })).toEqual([]);
  });

  it('stands below a service in the long list', () => {
    const table = runsTable([service({ model })], { nowMs: 0, width: 120, style, verbose: true, serverUrl });
    expect(table).toContain('   url: http://127.0.0.1:3000/proxy/services/main/web/\n');
    expect(table).toContain("   model o'llama: http://127.0.0.1:3000/proxy/services/main/web/v1");
  });
});

describe('a first request', () => {
  it.each<[string, Wire.Run, string]>([
    ['with the token of the project', service(), `curl ${serverUrl}${url} \\\n    -H "Authorization: Bearer $(dstack project token --project main)"`],
    ['without one where none is asked for', service({ auth: false }), `curl ${serverUrl}${url}`],
    ['to a model, in words that a shell leaves alone', service({ auth: false, model }), `curl ${serverUrl}${url}v1/chat/completions \\\n    -H 'Content-Type: application/json' \\\n    -d '{"model":"o'\\''llama","messages":[{"role":"user","content":"Hello"}]}'`],
  ])('is %s', (_what, asked, command) => expect(firstRequest(asked, serverUrl)).toBe(command)); // prettier-ignore
});

it.each<[string, object, boolean]>([
  ['running and ready', { status: 'running', ready: true }, true],
  ['running, by a server that does not tell', { status: 'running' }, true],
  ['running, but not ready', { status: 'running', ready: false }, false],
  ['pulling', { status: 'pulling', ready: false }, false],
])('a replica that is %s', (_what, changes, isReady) => {
  expect(hasReadyReplica(run({ status: 'running', jobs: [job(submission(changes))] }))).toBe(isReady);
});

it('waits for requests when it has been scaled to nothing', () => {
  const asleep = service({ status: 'pending' });
  expect(waitingText({ ...asleep, jobs: [] })).toBe('waiting for requests');
  const gone = job(submission({ status: 'terminated', termination_reason: 'scaled_down' }));
  expect(waitingText({ ...asleep, jobs: [gone] })).toBe('waiting for requests');
});

it('says why an update was taken back', () => {
  const noted = { ...service(), deployment_note: 'Update 3 was taken back: it failed' };
  const table = runsTable([noted], { nowMs: 0, width: 120, style, verbose: true, serverUrl });
  expect(table).toContain('   - Update 3 was taken back: it failed');
});

describe('an update', () => {
  const replica = (deployment_num: number, changes: object = { status: 'running', ready: true }) =>
    job(submission({ deployment_num, ...changes }));
  const updating = (jobs: Wire.Job[], more: object = {}) => ({ ...service(), deployment_num: 2, jobs, ...more });

  it.each<[string, Wire.Run, string, boolean]>([
    ['begins', updating([replica(1), replica(1)]), 'Updating web: new replicas ready: 0, old ones left: 2', false],
    ['goes on', updating([replica(1), replica(2)]), 'Updating web: new replicas ready: 1, old ones left: 1', false],
    ['starts a replica', updating([replica(1), replica(2, { status: 'running', ready: false })]), 'Updating web: new replicas ready: 0, old ones left: 1', false],
    ['waits', updating([replica(1), replica(2, { status: 'submitted' })], { pending_reasons: ['instance a: busy'] }), 'Updating web: new replicas ready: 0, old ones left: 1; the next new one has no capacity yet:\n - instance a: busy', false],
    ['has a gap', updating([replica(1, { status: 'terminated' }), replica(2, { status: 'provisioning' })]), 'Updating web: new replicas ready: 0, old ones left: 0', false],
    ['lacks one', updating([replica(2), replica(2, { status: 'running', ready: false })]), 'Updating web: new replicas ready: 1, old ones left: 0', false],
    ['is through', updating([replica(1, { status: 'terminated' }), replica(2), replica(2)]), 'Service web is updated.', true],
    ['was taken back', updating([replica(2)], { deployment_note: 'Update 1 was taken back: it failed' }), 'Service web: Update 1 was taken back: it failed', true],
  ])('%s', (_stage, updated, text, isOver) => expect(rollout(updated)).toEqual({ text, isOver })); // prettier-ignore

  it('is none where all replicas are of the configuration', () => {
    expect(isRollingOut(updating([replica(2)]))).toBe(false);
    expect(isRollingOut(updating([replica(1), replica(2)]))).toBe(true);
  });
});
