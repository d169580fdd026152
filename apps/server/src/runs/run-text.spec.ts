import { parseRunSpecValue, type Wire } from '@dstack/core';
import type { JobRecord } from '../jobs/job-record.js';
import { writeSealed } from '../reconcile/sealed-json.js';
import type { RunRecord } from './run-record.js';
import { runText } from './run-text.js';
import { type RunFacts, toWireRun } from './run-view.js';

const sealing = { seal: (text: string) => `<${btoa(text)}>`, open: (sealed: string) => atob(sealed.slice(1, -1)) };
const headers = [{ name: 'Authorization', value: 'secret-1' }];
const auth = { username: 'secret-2', password: 'secret-3' };

function runSpec(): Wire.RunSpec {
  const parsed = parseRunSpecValue({
    run_name: 'web',
    configuration: {
      type: 'service',
      port: 80,
      commands: [`echo '"env":{"$sealed":"x"}'`],
      image: 'x',
      env: { TOKEN: 'secret-4' },
      registry_auth: auth,
      probes: [{ type: 'http', url: '/', headers }],
      tags: { env: 'production', headers: 'none' },
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value;
}

const JOB_SPEC = {
  env: { TOKEN: 'secret-4' },
  registry_auth: auth,
  probes: [{ type: 'http', url: '/', method: 'get', headers }],
  ssh_key: { public: 'p', private: 'secret-5' },
  commands: ['echo'],
};

function facts(isOwner: boolean): RunFacts {
  const spec = runSpec();
  const job = {
    id: 'j1',
    jobNum: 0,
    replicaNum: 0,
    submissionNum: 0,
    deploymentNum: 0,
    status: 'done',
    statusChangedAt: 2,
    submittedAt: 1,
    finishedAt: 2,
    terminationReason: 'done_by_runner',
    terminationMessage: null,
    exitStatus: 0,
    spec: JOB_SPEC,
    specText: writeSealed({ sealing }, JOB_SPEC),
    provisioningData: null,
    runtimeRecord: { agent: null, offer: null },
    registered: true,
    probes: null,
    pullProgress: null,
    inactivitySecs: null,
  } as unknown as JobRecord; // of the rest nothing is read
  const run = {
    id: 'r1',
    name: 'web',
    submittedAt: 1,
    status: 'done',
    statusChangedAt: 2,
    finishedAt: 2,
    terminationReason: 'all_jobs_done',
    spec,
    specText: writeSealed({ sealing }, spec),
    pendingBecause: null,
    serviceSpec: null,
    nextTriggeredAt: null,
    deploymentNum: 0,
    deploymentNote: null,
    deleted: false,
    fleetId: null,
  } as unknown as RunRecord; // of the rest nothing is read
  return {
    run, jobs: [job], projectName: 'p', userName: 'u', fleet: null, isOwner, includeJobs: true, jobSubmissionsLimit: null,
    detaching: new Map(), priced: [], sshProxy: undefined, now: 3,
  }; // prettier-ignore
}

describe('A run as text', () => {
  it.each([true, false])('is the run itself, for its owner: %s', (isOwner) => {
    const text = runText({ sealing }, facts(isOwner));
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(toWireRun(facts(isOwner)))));
  });

  it('shows others no secret, and nobody the key of the nodes', () => {
    expect(runText({ sealing }, facts(false))).not.toContain('secret-');
    expect(runText({ sealing }, facts(true))).not.toContain('secret-5');
  });

  it('may be without its jobs', () => {
    const text = runText({ sealing }, { ...facts(true), includeJobs: false });
    expect(JSON.parse(text)).toMatchObject({ id: 'r1', jobs: [] });
  });
});
