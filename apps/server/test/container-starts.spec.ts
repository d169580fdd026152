import { isBackendError } from '@dstack/backend-base';
import { buildJobSpecs, normaliseRunSpec, type Offer, parseRunSpecValue } from '@dstack/core';
import { AgentArchives, NoAgentError } from '../src/containers/agent-archives.js';
import { ContainerStarts } from '../src/containers/container-starts.js';
import { JobInputs } from '../src/jobs/job-inputs.js';
import type { Database } from '../src/persistence/database.js';
import { writeSealed } from '../src/reconcile/sealed-json.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const KEY = `ssh-ed25519 ${'A'.repeat(68)}`;

class Secrets extends JobInputs {
  override async secrets() {
    return new Map([['TOKEN', 's3same']]);
  }
  override async repoCredentials() {
    return null;
  }
}

/** For machines of one kind only. */
class Archives extends AgentArchives {
  override async get(arch: 'x86' | 'arm') {
    if (arch === 'arm') throw new NoAgentError('this server has no agent for arm');
    return { url: 'https://example.com/agent.tar.gz', sha256: 'a'.repeat(64) };
  }
}

const offer = (arch: 'x86' | 'arm' | null = 'x86') =>
  // No more of an offer counts here.
  ({ instance: { resources: { cpu_arch: arch } } }) as unknown as Offer;

describe('what a container that is made for a job starts with', () => {
  let db: Database;
  let starts: ContainerStarts;
  beforeAll(async () => {
    const [sqlite] = testDatabases();
    if (sqlite === undefined) throw new Error('no database');
    db = await sqlite.open();
    starts = new ContainerStarts(db, new Secrets(), new Archives(), { registryLogin: null });
  });

  const jobOf = async (configuration: object): Promise<string> => {
    const parsed = parseRunSpecValue({ run_name: 'train', configuration: { type: 'task', commands: ['x'], ...configuration } }); // prettier-ignore
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    const [spec] = buildJobSpecs(normaliseRunSpec(parsed.value, { userSshPublicKey: null }), { replicaNum: 0 });
    const { jobId } = await seedJob(db, { project: `p${Math.random()}`, run: 'train' });
    await db.write((tx) => tx.execute('UPDATE jobs SET job_spec = ? WHERE id = ?', [writeSealed(tx, spec), jobId]));
    return jobId;
  };
  const failureOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
    );

  it('is the job’s image and what it asks of its container, but none of its variables', async () => {
    const id = await jobOf({
      image: 'ghcr.io/a/b:1',
      registry_auth: { username: 'ada', password: '${{ secrets.TOKEN }}' },
      env: { PASSWORD: 'hidden' },
      resources: { shm_size: '16GB' },
    });
    const start = await starts.of(id, offer(), [`${KEY} of the project`]);
    expect(start).toMatchObject({
      image: 'ghcr.io/a/b:1',
      registryAuth: { username: 'ada', password: 's3same' },
      privileged: false,
      shmSizeBytes: 16 * 1024 ** 3,
      env: {},
      agent: { url: 'https://example.com/agent.tar.gz' },
    });
    const { registryAuth: _auth, ...shown } = start;
    expect(JSON.stringify(shown)).not.toMatch(/hidden|s3same|of the project/);
    expect(start.command.at(-1)).toContain(KEY);
  });

  it.each<[string, object, 'x86' | 'arm', RegExp]>([
    ['a secret that is not there', { image: 'i', registry_auth: { username: 'u', password: '${{ secrets.NONE }}' } }, 'x86', /no secret 'NONE'/],
    ['an architecture without an agent', { image: 'i' }, 'arm', /no agent for arm/],
  ])('is refused for %s', async (_what, configuration, arch, message) => {
    const failure = await failureOf(starts.of(await jobOf(configuration), offer(arch), [KEY]));
    expect(failure).toMatchObject({ kind: 'rejected', message: expect.stringMatching(message) as string });
  }); // prettier-ignore

  it('is nothing for an instance without a job', async () => {
    expect(await failureOf(starts.of(null, offer(), [KEY]))).toMatchObject({ kind: 'rejected' });
  });
});
