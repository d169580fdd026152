import { parseRunSpecValue, type Wire } from '@dstack/core';
import type { JobRecord } from '../jobs/job-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import { writeSealed } from '../reconcile/sealed-json.js';
import type { RunRecord } from './run-record.js';
import { runText } from './run-text.js';
import { type RunFacts, toWireRun } from './run-view.js';
import { ShownTexts } from './shown-texts.js';

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

const HOST = {
  provisioningData: { backend: 'remote', dockerized: true, ssh_port: 22 },
  runtimeRecord: {
    agent: { phase: 'running', workingDir: '/root', sshPort: 41, username: 'root' },
    offer: null,
    networkMode: 'host',
    stopSent: null,
    startError: null,
  },
} as unknown as Pick<JobRecord, 'provisioningData' | 'runtimeRecord'>; // of the rest nothing is read

type Facts = RunFacts<RunRecord, JobRecord>;

function facts(isOwner: boolean, host: Partial<typeof HOST> = {}): Facts {
  const { provisioningData = null, runtimeRecord = HOST.runtimeRecord } = host;
  const job = {
    id: 'j1',
    jobNum: 0,
    replicaNum: 0,
    submissionNum: 0,
    deploymentNum: 0,
    status: provisioningData === null ? 'done' : 'running',
    statusChangedAt: 2,
    submittedAt: 1,
    finishedAt: 2,
    terminationReason: 'done_by_runner',
    terminationMessage: null,
    exitStatus: 0,
    spec: JOB_SPEC,
    provisioningData,
    provisioningText: provisioningData === null ? null : JSON.stringify(provisioningData),
    runtimeRecord,
    runtimeText: JSON.stringify(runtimeRecord),
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
    spec: runSpec(),
    pendingBecause: null,
    serviceSpec: null,
    nextTriggeredAt: null,
    deploymentNum: 0,
    deploymentNote: null,
    deleted: false,
    fleetId: null,
  } as unknown as RunRecord; // of the rest nothing is read
  return {
    run, jobs: [job], retry: null, projectName: 'p', userName: 'u', fleet: null, isOwner, includeJobs: true, jobSubmissionsLimit: null,
    detaching: new Map(), priced: [], sshProxy: undefined, now: 3,
  }; // prettier-ignore
}

/** A database with the specifications of one run, which counts how often they are read. */
class Stored {
  reads = 0;
  readonly shown = new ShownTexts(undefined);
  private readonly tx = {
    dialect: 'sqlite',
    sealing,
    query: (sql: string) => {
      this.reads += 1;
      const row = sql.includes('job_spec')
        ? { id: 'j1', job_spec: writeSealed({ sealing }, JOB_SPEC) }
        : { id: 'r1', run_spec: writeSealed({ sealing }, this.spec) };
      return Promise.resolve([row]);
    },
  } as unknown as ReadTx; // nothing else is asked of it

  constructor(public spec = runSpec()) {}

  async text(of: Facts): Promise<string> {
    const spec = await this.shown.runSpec(this.tx, of.run, of.isOwner);
    return (await runText(this.tx, this.shown, of, spec)).join('');
  }

  /** Asked for a second time it is remembered. */
  async remember(of: Facts): Promise<void> {
    await this.text(of);
    await this.text(of);
    this.reads = 0;
  }
}

const wire = (of: Facts): unknown => JSON.parse(JSON.stringify(toWireRun(of)));

describe('A run as text', () => {
  it.each([
    [true, {}],
    [false, {}],
    [true, HOST],
    [false, HOST],
  ])('is the run itself, read and remembered; for its owner: %s, on %j', async (isOwner, host) => {
    const of = facts(isOwner, host);
    const stored = new Stored();
    const texts = [await stored.text(of), await stored.text(of), await stored.text(of)];
    expect(texts.map((text): unknown => JSON.parse(text))).toEqual([wire(of), wire(of), wire(of)]);
  });

  it('shows others no secret, and nobody the key of the nodes', async () => {
    const stored = new Stored();
    for (let time = 0; time < 3; time += 1) {
      expect(await stored.text(facts(false))).not.toContain('secret-');
      expect(await stored.text(facts(true))).not.toContain('secret-5');
    }
  });

  it('may be without its jobs', async () => {
    const text = await new Stored().text({ ...facts(true), includeJobs: false });
    expect(JSON.parse(text)).toMatchObject({ id: 'r1', jobs: [] });
  });

  it('is made of what is remembered of its specifications', async () => {
    const stored = new Stored();
    await stored.remember(facts(false));
    await stored.text(facts(false));
    expect(stored.reads).toBe(0);
  });

  it('has the specification of its deployment', async () => {
    const stored = new Stored();
    await stored.remember(facts(true));
    const { run, ...rest } = facts(true);
    const updated = { ...rest, run: { ...run, deploymentNum: 1, spec: { ...run.spec, run_name: 'other' } } };
    stored.spec = updated.run.spec;
    expect(JSON.parse(await stored.text(updated))).toEqual(wire(updated));
  });

  it('has its host as it is known now', async () => {
    const stored = new Stored();
    await stored.remember(facts(true, HOST));
    const { agent } = HOST.runtimeRecord;
    const moved = facts(true, { ...HOST, runtimeRecord: { ...HOST.runtimeRecord, agent: agent && { ...agent, workingDir: '/data' } } }); // prettier-ignore
    expect(JSON.parse(await stored.text(moved))).toEqual(wire(moved));
  });
});
